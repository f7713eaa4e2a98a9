/**
 * Credentials as strangers write them: headers, cookies, keys, sealed values and signed assertions. Nothing counts that we
 * did not make, and nothing has two readings.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { idOfApiKey, makeApiKey } from '../../src/credentials/api-keys/key-form.ts'
import { presentedCredential } from '../../src/credentials/presented.ts'
import { tokenForm } from '../../src/credentials/provider-tokens/token-form.ts'
import { createKeyring, randomToken } from '../../src/crypto.ts'
import { OAuthError } from '../../src/errors.ts'
import { DOUBLED, headerReader } from '../../src/http/raw-headers.ts'
import { readClientAssertion } from '../../src/oauth/client-assertion.ts'
import { presentedSessions } from '../../src/sessions/cookies.ts'
import { SECRET } from '../support/secret.ts'
import { bounded } from './runs.ts'

const ISSUER = 'https://auth.example.com'
const keyring = createKeyring(SECRET, { issuer: ISSUER })
/** Characters that a header value can carry over the wire. */
const headerValue = fc.stringMatching(/^[\x20-\x7e\x80-\xff]{0,60}$/)
const b64 = fc.stringMatching(/^[A-Za-z0-9._~+/-]{1,30}={0,2}$/)

/** A text with one character changed. */
const changed = (text: string) =>
  fc
    .tuple(fc.nat(text.length - 1), fc.constantFrom('A', 'b', '0', '-', '_', '.', '=', ' '))
    .map(([at, put]) => text.slice(0, at) + put + text.slice(at + 1))
    .filter((other) => other !== text)

describe('an Authorization header', () => {
  it('holds a token that a reader of RFC 6750 finds as well, or none', () => {
    const value = fc.oneof(
      headerValue,
      fc
        .tuple(fc.constantFrom('Bearer', 'bearer', 'BEARER', 'Basic'), headerValue)
        .map(([scheme, rest]) => `${scheme} ${rest}`),
      fc.tuple(b64, b64).map(([one, two]) => `Bearer ${one}, Bearer ${two}`),
    )
    fc.assert(
      fc.property(value, (text) => {
        const presented = presentedCredential(text)
        const plain = /^bearer[ \t]+([A-Za-z0-9\-._~+/]+=*)[ \t]*$/i.exec(text)?.[1]
        if (presented.kind === 'bearer') expect(presented.token).toBe(plain)
        else expect(plain).toBeUndefined()
      }),
      // A no-break space, which String.prototype.trim takes away.
      { ...bounded(), examples: [['Bearer \u00a0-']] },
    )
  })

  it('on two lines is malformed, and any other line is read once', () => {
    const names = ['authorization', 'x-api-key', 'origin'] as const
    const line = fc.tuple(
      fc.constantFrom('Authorization', 'AUTHORIZATION', 'authorization', 'Origin', 'Accept'),
      headerValue,
    )
    const read = headerReader(names)
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
        const values = read(lines.flat())
        names.forEach((name, index) => {
          const own = lines.filter(([written]) => written.toLowerCase() === name)
          expect(values[index]).toBe(own.length > 1 ? DOUBLED : own[0]?.[1])
        })
      }),
      bounded(),
    )
    expect(presentedCredential(DOUBLED)).toEqual({ kind: 'malformed' })
  })
})

describe('a Cookie header', () => {
  it('gives the sessions that stand under their exact names, and no more than 32', () => {
    const name = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom(
          '__Host-gw_session',
          'gw_session',
          'CF_Authorization',
          '__Secure-gw_session_x',
        ),
      },
      fc.stringMatching(/^[\w-]{1,8}$/),
    )
    const value = fc.stringMatching(/^[\x21-\x3a\x3c-\x7e]{0,20}$/)
    const header = fc
      .array(fc.tuple(name, value, fc.constantFrom('; ', ';', ' ; ')), {
        maxLength: 120,
        size: 'max',
      })
      .map((all) => all.map(([one, two, end]) => `${one}=${two}${end}`).join(''))
    fc.assert(
      fc.property(header, fc.boolean(), (text, secure) => {
        const found = presentedSessions(text, { secure, domain: undefined })
        const under = (own: string) =>
          text.split(';').flatMap((part) => {
            const [written = '', ...rest] = part.split('=')
            const token = rest.join('=').trim()
            return written.trim() === own && token !== '' ? [token] : []
          })
        const own = under(secure ? '__Host-gw_session' : 'gw_session')
        const byHand = under('CF_Authorization')
        expect(found.own.length + found.byHand.length).toBe(
          Math.min(own.length + byHand.length, 32),
        )
        expect(own.slice(0, found.own.length)).toEqual(found.own)
        expect(byHand.slice(0, found.byHand.length)).toEqual(found.byHand)
        expect(found.domain).toEqual([])
      }),
      bounded(),
    )
  })
})

describe('a value of ours', () => {
  it('opens only as it was made: an API key, and a sealed client id', () => {
    const { key, id } = makeApiKey(keyring, randomToken)
    const sealed = keyring.seal('client-id', { name: 'a client' })
    expect(idOfApiKey(key, keyring)).toBe(id)
    fc.assert(
      fc.property(fc.oneof(fc.string(), changed(key), b64), (text) => {
        expect(idOfApiKey(text, keyring)).toBeUndefined()
      }),
      bounded(),
    )
    fc.assert(
      fc.property(fc.oneof(fc.string(), changed(sealed), b64), (text) => {
        expect(keyring.open('client-id', text)).toBeUndefined()
      }),
      bounded(),
    )
    expect(keyring.open('interaction', sealed)).toBeUndefined()
  })
})

describe('a JWT of somebody else', () => {
  const NOW = 1_800_000_000
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const member = fc.oneof(
    fc.jsonValue({ maxDepth: 1 }),
    fc.constantFrom(ISSUER, `${ISSUER}/token`, 'client', NOW + 60, NOW - 3600),
  )
  const header = fc.record(
    { alg: fc.oneof(fc.constantFrom('ES256', 'none', 'HS256'), member), typ: member, crit: member },
    { requiredKeys: [] },
  )
  const claims = fc.record(
    { iss: member, sub: member, aud: member, exp: member, jti: member, nbf: member, iat: member },
    { requiredKeys: [] },
  )
  const good = { iss: 'client', sub: 'client', aud: ISSUER, exp: NOW + 60, jti: 'once' }
  const jwt = fc.oneof(
    fc.string(),
    fc.tuple(header, claims).map(([head, body]) => `${part(head)}.${part(body)}.c2ln`),
    fc
      .tuple(fc.constantFrom('iss', 'sub', 'aud', 'exp', 'jti', 'nbf', 'typ'), member)
      .map(([name, value]) => `${part({ alg: 'ES256' })}.${part({ ...good, [name]: value })}.c2ln`),
  )

  it('is an assertion for us, of this hour and of one client, or is refused', () => {
    fc.assert(
      fc.property(jwt, (text) => {
        const parameters = new Map([
          ['client_assertion_type', ['urn:ietf:params:oauth:client-assertion-type:jwt-bearer']],
          ['client_assertion', [text]],
        ])
        const deps = { issuer: ISSUER, tokenEndpoint: `${ISSUER}/token`, now: NOW }
        try {
          const assertion = readClientAssertion(parameters, deps)
          const said = JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString())
          expect(said).toMatchObject({ iss: assertion?.clientId, sub: assertion?.clientId })
          for (const audience of [said.aud].flat()) expect(audience).toContain(ISSUER)
          expect(Math.abs(said.exp - NOW)).toBeLessThanOrEqual(3660)
        } catch (error) {
          expect(error).toBeInstanceOf(OAuthError)
        }
      }),
      bounded(),
    )
  })

  it('has a form, whatever it holds', () => {
    fc.assert(
      fc.property(jwt, (text) => {
        expect(['jwt', 'opaque']).toContain(tokenForm(text).kind)
      }),
      bounded(),
    )
  })
})
