/**
 * Judges a URL that a client uses as its id (draft-ietf-oauth-client-id-metadata-document-02 section 3). The id is
 * compared as a string; parsing only judges it. Nothing that two programs could read in two ways is accepted.
 *
 * @module
 */
import { isIP } from 'node:net'
import { parseIpAddress } from '../../url/ip-address.ts'
import { isLoopbackName } from '../../url/special-use.ts'

/** The id travels in every request and in each access token, and people may see it. */
const MAX_LENGTH = 512

/** True for an id that can only be the URL of a metadata document. */
export const isClientIdUrl = (clientId: string): boolean => /^https?:\/\//i.test(clientId)

/**
 * The reason why a URL cannot be a client id, as the rest of a sentence that begins with it; undefined if it can.
 * @param options `loopback`: hosts of this machine count, by http too
 */
export function clientIdUrlProblem(
  clientId: string,
  options: { readonly loopback: boolean },
): string | undefined {
  if (clientId.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`
  if (clientId.includes('#')) return 'has a fragment'
  if (!URL.canParse(clientId)) return 'is not a URL'
  const url = new URL(clientId)
  if (url.username !== '' || url.password !== '' || /^[a-z]+:\/\/[^/]*@/i.test(clientId)) {
    return 'contains a user name or password'
  }
  const isLoopback = options.loopback && isLoopbackName(url.hostname)
  if (url.protocol !== 'https:' && !(isLoopback && url.protocol === 'http:')) {
    return 'does not use https'
  }
  if (!/^[a-z]+:\/\/[^/?]+\//i.test(clientId)) return 'has no path'
  // The parser removes dot segments, folds case and more: an id that it changes has a second reading.
  const written = clientId.replace(/^(https:\/\/[^/?]+):443(?=\/)/, '$1')
  if (written !== url.href) return 'is not in the normal form of URLs'
  return isLoopback ? undefined : hostProblem(url.hostname)
}

function hostProblem(hostname: string): string | undefined {
  if (isIP(parseIpAddress(hostname) ?? '') !== 0) return 'names an address in place of a host'
  if (hostname.endsWith('.')) return 'has a dot at the end of its host'
  const isPublic = hostname.includes('.') && !isLoopbackName(hostname)
  return isPublic ? undefined : 'names no host of the Internet'
}
