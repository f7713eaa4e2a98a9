/**
 * A server behind us that answers 401 or 403 of its own. Its challenge names another login, where no client of ours could
 * sign in, so ours takes its place (features E4). A resource can say that the challenges are for its clients.
 *
 * @module
 */
import type { Answer } from '../check/answer.ts'
import { challenge, describeRefusal } from '../check/challenge.ts'
import { valuesOf } from '../http/header-list.ts'
import type { ResourceMatch } from '../resources/resource-table.ts'
import type { AnswerHead } from './upstream.ts'

/** The answer in place of the upstream's. */
interface Replaced {
  /** The `WWW-Authenticate` for the client; undefined: none. */
  readonly challenge?: string
  /** For a program: the whole answer. A person gets the server's own page. */
  readonly instead?: Answer
}

/**
 * @param callerOf `isKnown`: the request had a good credential; `isProgram`: it reads no page; `showsOurs`: the server got our
 *   credential in place of the caller's. Asked for a refusal alone
 */
export function replaceChallenge(
  { status, lines }: AnswerHead,
  match: ResourceMatch,
  callerOf: () => {
    readonly isKnown: boolean
    readonly isProgram: boolean
    readonly showsOurs: boolean
  },
): Replaced {
  if (status !== 401 && status !== 403) return {}
  const inner = valuesOf(lines, 'www-authenticate')
  const caller = callerOf()
  // Without a challenge, or with one about our own credential, a 403 is final: another token would not help.
  if (status === 403 && (inner.length === 0 || caller.showsOurs))
    return { challenge: challenge(match) }
  const error = status === 403 ? 'insufficient_scope' : caller.isKnown ? 'invalid_token' : undefined
  const ours = challenge(match, error, missingScopes(inner, match))
  if (!caller.isProgram) return { challenge: ours }
  const words = { error: error ?? 'invalid_token', error_description: describeRefusal(error) }
  return { challenge: ours, instead: answer(status, words, ['WWW-Authenticate', ours]) }
}

/** The scopes that the server demands, as far as clients can get them from us. */
function missingScopes(inner: readonly string[], { resource }: ResourceMatch): readonly string[] {
  const [, quoted, token = ''] = /\bscope=(?:"([^"]*)"|([^\s,"]+))/i.exec(inner.join()) ?? []
  return (quoted ?? token).split(' ').filter((scope) => Object.hasOwn(resource.scopes, scope))
}

/** Where the server refuses our own credential, no client can do anything about it. */
export const OUTAGE: Replaced = {
  instead: answer(
    502,
    {
      error: 'temporarily_unavailable',
      error_description: 'the server behind the gateway refused the gateway',
    },
    [],
  ),
}

function answer(status: number, words: object, more: readonly string[]): Answer {
  const body = JSON.stringify(words)
  const headers = [
    ...['Cache-Control', 'no-store', 'Content-Type', 'application/json'],
    ...['Content-Length', String(Buffer.byteLength(body)), ...more],
  ]
  return { status, headers, body }
}
