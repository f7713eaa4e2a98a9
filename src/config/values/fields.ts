/**
 * The kinds of value that a setting can have, as zod schemas, and the registry of the settings' descriptions.
 *
 * @module
 */
import * as z from 'zod'
import { InvalidValue, quote } from './problem.ts'
import { splitList } from './split-list.ts'

/** The description of a setting, and its other spellings. */
export interface Field {
  /** The line in the reference. */
  readonly description: string
  /** A value for the reference, if there is no default. */
  readonly example?: string
  /** Never shown; `NAME_FILE` reads it from a file. */
  readonly secret?: true
  /** `switch` is a flag without a value. */
  readonly kind?: 'list' | 'switch'
  /** Other names in the environment. */
  readonly aliases?: readonly string[]
  /** Other names that count on the command line alone. */
  readonly flags?: readonly string[]
  /** True for a flag that may be given several times: each adds a line to the value. */
  readonly repeats?: true
}

/** The {@link Field} of every setting, by its schema. */
export const fields = z.registry<Field>()

/** A text that `parse` understands. An {@link InvalidValue} that it throws becomes the problem. */
export function text<T>(parse: (value: string) => T): z.ZodType<T, string> {
  return z
    .string({
      error: ({ input }) =>
        input === undefined || input === null
          ? 'is missing. Write a value.'
          : 'must be text. Write one value, in quotes.',
    })
    .transform((value, context) => attemptIn(context, value, () => parse(value.trim())))
}

/** Like {@link text}, for values that YAML reads as numbers. */
export function scalar<T>(parse: (value: string) => T): z.ZodType<T, string | number> {
  return z
    .union([z.string(), z.number()], { error: 'must be a number or text. Write one value.' })
    .transform((value, context) => attemptIn(context, value, () => parse(String(value).trim())))
}

/**
 * A list: an array in YAML, one text elsewhere. Duplicates are dropped.
 * @param split splits the text into entries
 * @param options `distinct`: beside another problem of the list, two spellings of one value are a problem, too; without
 *   one, the rules for the whole configuration see them
 */
export function list<T>(
  parse: (item: string) => T,
  split = splitList,
  { distinct = false }: { readonly distinct?: boolean } = {},
): z.ZodType<T[], string | string[]> {
  return z
    .union([z.string(), z.array(z.string())], {
      error: 'must be a list of texts. Write [a, b] in the file, or a,b elsewhere.',
    })
    .transform((given, context) => {
      const before = context.issues.length
      const entries =
        typeof given === 'string' ? attemptIn(context, given, () => split(given)) : given
      if (context.issues.length > before) return z.NEVER
      const items = entries.map((item) => item.trim()).filter((item) => item !== '')
      const seen = new Set<T>()
      const repeated: string[] = []
      const parsed = [...new Set(items)].map((item) =>
        attemptIn(context, item, () => {
          const value = parse(item)
          if (seen.has(value)) repeated.push(item)
          seen.add(value)
          return value
        }),
      )
      if (distinct && context.issues.length > before) {
        for (const item of repeated) {
          const message = `${quote(item)} is there twice. Remove one of the two.`
          context.issues.push({ code: 'custom', message, input: item })
        }
      }
      return parsed
    })
}

/** True or false. */
export function toggle(): z.ZodType<boolean, string | boolean> {
  return z.union([z.boolean(), z.string().trim().pipe(z.stringbool())], {
    error: 'must be true or false. Write one of the two.',
  })
}

/** A map of named settings. Unknown names are refused. */
export function section<S extends z.ZodRawShape>(shape: S): z.ZodObject<S, z.core.$strict> {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'invalid_type'
        ? 'must be a map of settings. Indent them below it.'
        : undefined,
  })
}

function attemptIn<T>(context: z.RefinementCtx, input: unknown, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error
    context.issues.push({ code: 'custom', message: error.message, input })
    return z.NEVER
  }
}
