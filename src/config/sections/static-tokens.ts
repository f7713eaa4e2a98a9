/**
 * Fixed tokens for programs that cannot sign in: `STATIC_BEARER_TOKENS`, and `static_tokens` in the file, which can
 * say less than everything (decision K33).
 *
 * @module
 */
import type * as z from 'zod'
import type { StaticTokenConfig } from '../../credentials/static-tokens.ts'
import { sha256 } from '../../crypto.ts'
import type { ResourceConfig } from '../../resources/resource-table.ts'
import type { Disk } from '../sources/disk.ts'
import type { FileContents } from '../sources/file.ts'
import type { Chosen } from '../sources/precedence.ts'
import { fields, list, section, text } from '../values/fields.ts'
import { parseWith } from '../values/issues.ts'
import { parsePath } from '../values/plain.ts'
import { attempt, type Report } from '../values/problem.ts'
import { isName, MAKE_ONE, NAME_RULE, parseStaticToken } from '../values/static-token.ts'
import { didYouMean } from '../values/suggest.ts'

/** `static_tokens.<name>` in the file. */
export const StaticToken = section({
  token: text(parseStaticToken).optional().register(fields, {
    description: '32 characters at least, such as `openssl rand -hex 32` prints.',
    secret: true,
  }),
  token_file: text(parsePath)
    .optional()
    .register(fields, { description: 'Instead: a file that holds it.' }),
  scopes: list((scope) => scope)
    .optional()
    .register(fields, { description: 'All that it carries; else whatever a server has.' }),
  resources: list((id) => id)
    .optional()
    .register(fields, { description: 'The ids of the servers that it opens; else every one.' }),
})
type StaticToken = z.output<typeof StaticToken>

/** A static token, how problems call it, and its text for those who judge it. */
export interface PlacedStaticToken {
  readonly at: string
  readonly token: string
  readonly config: StaticTokenConfig
}

/** The name of a bare token. */
const BARE_NAME = 'static'
/** What mcpauth's servers were told of its one token. */
const MCPAUTH = { setting: 'AUTHORIZATION_BEARER_TOKEN', name: 'static-authorized-user' }

interface Parts extends Chosen {
  readonly file: FileContents
  readonly disk: Disk
  readonly report: Report
  readonly resources: readonly ResourceConfig[]
}

/** The tokens without a problem; the problems of the others go to the report. One warning names them all. */
export function buildStaticTokens(parts: Parts): PlacedStaticToken[] {
  const { report } = parts
  const built = [...fromFlatList(parts), ...fromFile(parts)]
  const names = new Set<string>()
  const hashes = new Set<string>()
  for (const { at, config } of built) {
    if (names.has(config.name)) {
      report.problem(
        at,
        `the name ${config.name} is there twice. Give each token its own, as name:token.`,
      )
    }
    if (hashes.has(config.tokenHash)) {
      report.problem(at, 'holds one token twice. Remove one of the two.')
    }
    names.add(config.name)
    hashes.add(config.tokenHash)
  }
  const [first] = built
  if (first) {
    report.warning(
      first.at.split('.')[0] ?? first.at,
      `whoever holds one of these tokens is let in until it is removed here: ${[...names].join(', ')}.`,
    )
  }
  return built
}

function fromFlatList({ settings, given, report }: Parts): PlacedStaticToken[] {
  const at = given.get('static_bearer_tokens')?.label ?? 'STATIC_BEARER_TOKENS'
  return (settings.static_bearer_tokens ?? []).flatMap(({ name, token }) => {
    if (at === MCPAUTH.setting && name !== undefined) {
      // To mcpauth the colon was part of the token, and half a secret must not become a name that is logged.
      report.problem(
        at,
        'holds a colon, which no Authorization header carries. Make another token, or write name:token in STATIC_BEARER_TOKENS.',
      )
      return []
    }
    const bareName = at === MCPAUTH.setting ? MCPAUTH.name : BARE_NAME
    return [{ at, token, config: { name: name ?? bareName, tokenHash: sha256(token) } }]
  })
}

function fromFile(parts: Parts): PlacedStaticToken[] {
  const { file, report } = parts
  return Object.entries(file.staticTokens ?? {}).flatMap(([name, value]) => {
    const at = `static_tokens.${name}`
    if (!isName(name)) {
      report.problem(at, `is not a name. ${NAME_RULE}`)
      return []
    }
    const parsed = parseWith(StaticToken, value, {
      report,
      label: (path) => [at, ...path.filter((key) => typeof key !== 'number')].join('.'),
      keys: () => Object.keys(StaticToken.shape),
    })
    if (!('value' in parsed)) return []
    const token = tokenOf(parsed.value, { ...parts, at })
    const limits = limitsOf(parsed.value, { ...parts, at })
    if (token === undefined) return []
    return [{ at, token, config: { name, tokenHash: sha256(token), ...limits } }]
  })
}

function tokenOf(
  { token, token_file: file }: StaticToken,
  { at, disk, report }: Parts & { readonly at: string },
): string | undefined {
  if (token !== undefined && file !== undefined) {
    report.problem(`${at}.token`, 'stands beside token_file. Remove one of the two.')
    return undefined
  }
  if (token !== undefined) return token
  if (file === undefined) {
    report.problem(`${at}.token`, `is missing. ${MAKE_ONE}`)
    return undefined
  }
  return attempt(report, `${at}.token_file`, () => parseStaticToken(disk.readSecret(file).trim()))
}

/** A limit to nothing, or to what there is not, is a mistake of the writer's. */
function limitsOf(
  { scopes, resources: ids }: StaticToken,
  { at, resources, report }: Parts & { readonly at: string },
): Pick<StaticTokenConfig, 'scopes' | 'resources'> {
  if (scopes?.length === 0) {
    report.problem(`${at}.scopes`, 'names no scope. Name one, or leave the setting out.')
  }
  if (ids?.length === 0) {
    report.problem(`${at}.resources`, 'names no server. Name one, or leave the setting out.')
  }
  const known = resources.map(({ id }) => id)
  for (const id of ids?.filter((id) => !known.includes(id)) ?? []) {
    const mend = `Write the id of one: ${known.join(', ')}.`
    report.problem(
      `${at}.resources`,
      `"${id}" is the id of no server. ${didYouMean(id, known, mend)}`,
    )
  }
  const opened = resources.filter(({ id }) => ids === undefined || ids.includes(id))
  for (const scope of scopes ?? []) {
    if (opened.length > 0 && !opened.some(({ scopes: offered }) => Object.hasOwn(offered, scope))) {
      report.problem(`${at}.scopes`, `"${scope}" is on offer at no server it opens. Remove it.`)
    }
  }
  return { ...(scopes && { scopes }), ...(ids && { resources: ids }) }
}
