/**
 * nginx's `auth_request` and the `auth-url` of ingress-nginx: `X-Original-URL` and `X-Original-Method`, which the proxy
 * sets itself. nginx passes a client's `X-Forwarded-*` on unchanged, so they prove nothing. nginx understands 2xx, 401
 * and 403, turns every other status into a 500 of its own, and reads no body.
 *
 * @module
 */

import type { Answer } from '../../check/answer.ts'
import { filterHeaders } from '../../http/header-list.ts'
import { DOUBLED, headerReader } from '../../http/raw-headers.ts'
import { type Contract, doubled, missing, unusable } from './contract.ts'

const read = headerReader(['x-original-url', 'x-original-method'])

/** `$scheme://$http_host$request_uri`, refused if it could be read as another host. */
const ABSOLUTE = /^https?:\/\/([^/?#@\\\s]+)(\/.*)$/

export const nginx: Contract = {
  family: 'nginx',
  locate({ rawHeaders }) {
    const [url, method] = read(rawHeaders)
    if (url === DOUBLED) return doubled('X-Original-URL')
    if (method === DOUBLED) return doubled('X-Original-Method')
    if (!url) return missing('X-Original-URL')
    if (!method) return missing('X-Original-Method')
    const [, host = '', target = ''] = ABSOLUTE.exec(url) ?? []
    if (!host) return unusable('X-Original-URL is not the absolute URL of a request')
    return { host, target, method }
  },
  adapt: adaptToNginx,
}

/** Every answer as 200, 401, 403, 429 or 503. */
export function adaptToNginx(answer: Answer): Answer {
  switch (answer.status) {
    case 200:
      return answer
    case 401:
    case 403:
    case 429:
    case 503:
      return withoutBody(answer.status, answer.headers)
    case 404:
      // The session of somebody else.
      return withoutBody(403, answer.headers)
    case 302:
      // The shipped configuration redirects to this `Location`; a plain one passes the challenge on.
      return withoutBody(401, answer.headers)
    case 400:
      // RFC 9110 section 15.5.2: a 401 has a challenge. A request for no known resource has none.
      return withoutBody(hasChallenge(answer) ? 401 : 403, answer.headers)
    default:
      return withoutBody(503, answer.headers)
  }
}

/** nginx closes its connection to us if an answer has a body that it does not read. */
function withoutBody(status: number, headers: readonly string[]): Answer {
  const kept = filterHeaders(headers, (name) => !/^content-/i.test(name))
  return { status, headers: [...kept, 'Content-Length', '0'] }
}

function hasChallenge({ headers }: Answer): boolean {
  return filterHeaders(headers, (name) => /^www-authenticate$/i.test(name)).length > 0
}
