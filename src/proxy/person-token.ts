/**
 * Sends the provider's access token of the person to the server that is to get it (case sb17, threat T8): only our own
 * reverse proxy does, so that no client that may ask for a check can read it in the answer.
 *
 * @module
 */
import type { FastifyRequest } from 'fastify'
import type { Verified } from '../credentials/credential.ts'
import { MAX_PERSON_TOKEN } from '../oauth/person-token.ts'
import type { PersonToken } from '../providers/provider.ts'
import type { Resource } from '../resources/resource-table.ts'

/** A header can carry nothing else. */
const VALUE = /^[\x21-\x7e]+$/

/** The header lines with the token: none for a caller without one, or with one that is of no use any more. */
export type PersonTokenLines = (
  request: Pick<FastifyRequest, 'report'>,
  resource: Resource,
  verified: Verified | undefined,
) => readonly string[]

/** @param deps `now` in milliseconds since the epoch */
export function createPersonTokenLines({ now }: { readonly now: () => number }): PersonTokenLines {
  const reported = new WeakSet<Verified>()

  function faultOf({ value, until = Number.POSITIVE_INFINITY }: PersonToken): string | undefined {
    if (now() / 1000 >= until) return 'it has ended: the client has to refresh its own'
    if (value.length > MAX_PERSON_TOKEN) return `it is longer than ${MAX_PERSON_TOKEN} characters`
    return VALUE.test(value) ? undefined : 'it holds a character that no header can carry'
  }

  return (request, resource, verified) => {
    const name = resource.passThrough.personTokenHeader
    const token = verified?.personToken
    if (name === undefined || !token || !verified.isFor(resource)) return []
    const reason = faultOf(token)
    if (reason === undefined) {
      return [name, name === 'Authorization' ? `Bearer ${token.value}` : token.value]
    }
    if (!reported.has(verified)) {
      reported.add(verified)
      const { sub: userId, grant } = verified
      const { id } = resource
      request.report({ event: 'person-token-left-out', resource: id, reason, userId, grant })
    }
    return []
  }
}
