/**
 * The kinds of value a setting can have, as zod schemas, and the registry that holds what people read about each.
 *
 * @module
 */
import * as z from 'zod'
import { InvalidValue } from './problem.ts'

/** What people read about a setting, and how it may be spelled. */
export interface Field {
  /** One line for the reference. */
  readonly description: string
  /** A value for the reference, where the default does not show one. */
  readonly example?: string
  /** Never shown; may be read from a file by `NAME_FILE`. */
  readonly secret?: true
  /** `switch` is a flag without a value. */
  readonly kind?: 'list' | 'switch'
  /** Other names in the environment. */
  readonly aliases?: readonly string[]
}

/** Every setting's {@link Field}, by its schema. */
export const fields = z.registry<Field>()

/** A text that `parse` understands. What it throws as {@link InvalidValue} becomes the problem. */
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

/** As {@link text}, for values that YAML reads as numbers. */
export function scalar<T>(parse: (value: string) => T): z.ZodType<T, string | number> {
  return z
    .union([z.string(), z.number()], { error: 'must be a number or text. Write one value.' })
    .transform((value, context) => attemptIn(context, value, () => parse(String(value).trim())))
}

/**
 * A list: an array in YAML, one text elsewhere. Each entry is taken once.
 * @param split what the text lists; by commas and line breaks unless told otherwise
 */
export function list<T>(
  parse: (item: string) => T,
  split = (text: string) => text.split(/[,\n]/),
): z.ZodType<T[], string | string[]> {
  return z
    .union([z.string(), z.array(z.string())], {
      error: 'must be a list of texts. Write [a, b] in the file, or a,b elsewhere.',
    })
    .transform((given, context) => {
      const items = (typeof given === 'string' ? split(given) : given)
        .map((item) => item.trim())
        .filter((item) => item !== '')
      return [...new Set(items)].map((item) => attemptIn(context, item, () => parse(item)))
    })
}

/** True or false. */
export function toggle(): z.ZodType<boolean, string | boolean> {
  return z.union([z.boolean(), z.stringbool()], {
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
