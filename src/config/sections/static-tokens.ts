/**
 * Fixed tokens for programs that cannot sign in: `STATIC_BEARER_TOKENS`, and `static_tokens` in the file, which can
 * limit a token to scopes and servers (decision K33).
 *
 * @module
 */
import type * as z from 'zod'
import type { StaticTokenConfig } from '../../credentials/static-tokens.ts'
import { sha256 } from '../../crypto.ts'
import { mayAnnounce } from '../../resources/announced-scopes.ts'
import type { ResourceConfig } from '../../resources/resource-table.ts'
import type { Disk } from '../sources/disk.ts'
import type { FileContents } from '../sources/file.ts'
import type { Chosen } from '../sources/precedence.ts'
import { fields, list, section, text } from '../values/fields.ts'
import { labelBelow, parseWith } from '../values/issues.ts'
import { parsePath } from '../values/plain.ts'
import { attempt, type Report } from '../values/problem.ts'
import { checkResourceIds } from '../values/resource-ids.ts'
import { parseScopeToken } from '../values/scopes.ts'
import { isName, MAKE_ONE, NAME_RULE, parseStaticToken } from '../values/static-token.ts'

/** `static_tokens.<name>` in the file. */
export const StaticToken = section({
  token: text(parseStaticToken).optional().register(fields, {
    description: 'Token of at least 32 characters, such as `openssl rand -hex 32` prints.',
    secret: true,
  }),
  token_file: text(parsePath)
    .optional()
    .register(fields, { description: 'File that holds the token, instead of `token`.' }),
  scopes: list((scope) => scope)
    .optional()
    .register(fields, {
      description: 'Scopes that the token carries. Default: all scopes of a server.',
    }),
  resources: list((id) => id)
    .optional()
    .register(fields, {
      description: 'Ids of the servers that the token opens. Default: every server.',
    }),
})
type StaticToken = z.output<typeof StaticToken>

/** A static token, the name by which problems call it, and its text for the rules that check it. */
export interface PlacedStaticToken {
  readonly at: string
  readonly token: string
  readonly config: StaticTokenConfig
}

/** The name of a bare token. */
const BARE_NAME = 'static'
/** mcpauth's setting for its only token, and the user that its servers get for that token. */
const MCPAUTH = { setting: 'AUTHORIZATION_BEARER_TOKEN', name: 'static-authorized-user' }

interface Parts extends Chosen {
  readonly file: FileContents
  readonly disk: Disk
  readonly report: Report
  readonly resources: readonly ResourceConfig[]
}

/** The tokens without a problem; the problems of the others go to the report. A single warning names all tokens. */
export function buildStaticTokens(parts: Parts): PlacedStaticToken[] {
  const { report } = parts
  const built = [...fromFlatList(parts), ...fromFile(parts)]
  const names = new Set<string>()
  const hashes = new Set<string>()
  for (const { at, config } of built) {
    if (names.has(config.name)) {
      report.problem(
        at,
        `two tokens have the name ${config.name}. Give each token its own name, as name:token.`,
      )
    }
    if (hashes.has(config.tokenHash)) {
      report.problem(at, 'lists the same token twice. Remove the duplicate.')
    }
    names.add(config.name)
    hashes.add(config.tokenHash)
  }
  const [first] = built
  if (first) {
    report.warning(
      first.at.split('.')[0] ?? first.at,
      `anyone who holds one of these tokens gets in until you remove that token here: ${[...names].join(', ')}.`,
    )
  }
  return built
}

function fromFlatList({ settings, given, report }: Parts): PlacedStaticToken[] {
  const at = given.get('static_bearer_tokens')?.label ?? 'STATIC_BEARER_TOKENS'
  return (settings.static_bearer_tokens ?? []).flatMap(({ name, token }) => {
    if (at === MCPAUTH.setting && name !== undefined) {
      // mcpauth reads the colon as part of the token, and half a secret must not become a name that the log shows.
      report.problem(
        at,
        'holds a colon, which an Authorization header cannot carry. Make another token, or write name:token in STATIC_BEARER_TOKENS.',
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
      label: labelBelow(at),
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
    report.problem(`${at}.token`, 'conflicts with token_file. Remove one of the two.')
    return undefined
  }
  if (token !== undefined) return token
  if (file === undefined) {
    report.problem(`${at}.token`, `is missing. ${MAKE_ONE}`)
    return undefined
  }
  return attempt(report, `${at}.token_file`, () => parseStaticToken(disk.readSecret(file).trim()))
}

/** A limit to nothing, or to a scope or server that does not exist, is a mistake in the configuration. */
function limitsOf(
  { scopes, resources: ids }: StaticToken,
  { at, resources, report }: Parts & { readonly at: string },
): Pick<StaticTokenConfig, 'scopes' | 'resources'> {
  if (scopes?.length === 0) {
    report.problem(`${at}.scopes`, 'lists no scope. Add one, or leave the setting out.')
  }
  if (ids) checkResourceIds(ids, { label: `${at}.resources`, resources, report })
  const opened = resources.filter(({ id }) => ids === undefined || ids.includes(id))
  for (const scope of scopes ?? []) {
    const isOffered = opened.some(
      (one) => Object.hasOwn(one.scopes, scope) || mayAnnounce(one, scope),
    )
    if (attempt(report, `${at}.scopes`, () => parseScopeToken(scope)) === undefined) continue
    if (opened.length > 0 && !isOffered) {
      report.problem(`${at}.scopes`, `no server that the token opens offers "${scope}". Remove it.`)
    }
  }
  return { ...(scopes && { scopes }), ...(ids && { resources: ids }) }
}
