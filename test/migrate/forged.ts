/**
 * Tokens that anybody could make for mcpauth, whose key is in its source.
 *
 * @module
 */
import { createHmac } from 'node:crypto'

const KNOWN_KEY = 'my-secret-key'
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A chosen person with every scope, for a day; claims that both gateways read. */
function claims(): object {
  const iat = Math.floor(Date.UTC(2026, 10, 21, 9) / 1000)
  return {
    sub: 'ann@example.com',
    email: 'ann@example.com',
    scopes: ['mcp'],
    scope: 'mcp',
    iss: 'https://auth.example.com',
    aud: 'https://mcp.example.com/notes/mcp',
    client_id: 'x',
    gid: 'x',
    jti: 'x',
    iat,
    exp: iat + 86_400,
  }
}

/** Tokens signed with that key by every algorithm mcpauth took, and not signed at all; each under both of our types. */
export function forgedTokens(): readonly string[] {
  const algorithms = ['HS256', 'HS384', 'HS512', 'none', 'None']
  return algorithms.flatMap((alg) =>
    ['JWT', 'at+jwt'].map((typ) => {
      const signed = `${encode({ alg, typ, kid: 'x' })}.${encode(claims())}`
      const hash = /^HS(\d+)$/.exec(alg)?.[1]
      if (hash === undefined) return `${signed}.`
      return `${signed}.${createHmac(`sha${hash}`, KNOWN_KEY).update(signed).digest('base64url')}`
    }),
  )
}
