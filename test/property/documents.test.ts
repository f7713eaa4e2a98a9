/**
 * Documents that others publish: metadata of clients, their keys and how long both count. A document gives its client
 * nothing that the rules forbid.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OAuthError } from '../../src/errors.ts'
import { clientIdUrlProblem } from '../../src/oauth/clients/client-id-url.ts'
import { freshnessOf } from '../../src/oauth/clients/freshness.ts'
import { hasSecretKey, readKeySet } from '../../src/oauth/clients/key-set.ts'
import {
  parseMetadataDocument,
  SELF_DECLARED_GRANTS,
} from '../../src/oauth/clients/metadata-document.ts'
import { type RedirectRules, redirectUriProblem } from '../../src/oauth/redirect-uri.ts'
import { bounded } from './runs.ts'

const CLIENT_ID = 'https://client.example/metadata.json'
const redirectRules: RedirectRules = {
  ownOrigin: 'https://auth.example.com',
  isProtected: () => false,
  isOpenedScheme: () => false,
}
const RULES = {
  redirectRules,
  allowsRedirect: () => true,
  grantTypes: SELF_DECLARED_GRANTS,
  keysUrlProblem: (uri: string) => clientIdUrlProblem(uri, { loopback: false }),
}

const uri = fc.oneof(
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc
    .tuple(fc.nat(70_000), fc.string({ maxLength: 6 }))
    .map(([port, tail]) => `http://127.0.0.1:${port}/${tail}`),
  fc.constantFrom(
    'https://auth.example.com/token',
    'javascript:alert(1)',
    'https:callback',
    'cursor://x',
  ),
  fc.string({ maxLength: 20 }),
)
const key = fc.record(
  { kty: fc.constantFrom('EC', 'RSA', 'oct'), d: fc.string(), k: fc.string(), x: fc.string() },
  { requiredKeys: ['kty'] },
)
const jwks = fc.oneof(fc.record({ keys: fc.array(key, { maxLength: 3 }) }), fc.jsonValue())
const document = fc.record(
  {
    client_id: fc.oneof(
      { weight: 5, arbitrary: fc.constant(CLIENT_ID) },
      { weight: 1, arbitrary: fc.string() },
    ),
    client_name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
    redirect_uris: fc.oneof(fc.array(uri, { minLength: 1, maxLength: 4 }), fc.jsonValue()),
    grant_types: fc.array(
      fc.constantFrom(...SELF_DECLARED_GRANTS, 'client_credentials', 'password', 'implicit'),
    ),
    response_types: fc.array(fc.constantFrom('code', 'token')),
    token_endpoint_auth_method: fc.constantFrom('none', 'private_key_jwt', 'client_secret_basic'),
    jwks,
    jwks_uri: uri,
    client_secret: fc.string(),
  },
  { requiredKeys: ['client_id', 'client_name', 'redirect_uris'] },
)

describe('a metadata document', () => {
  it('gives its client redirects, grants and keys that the rules allow, or is refused', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          document.map((one) => JSON.stringify(one)),
          fc.string(),
        ),
        (text) => {
          let client: ReturnType<typeof parseMetadataDocument>
          try {
            client = parseMetadataDocument(text, CLIENT_ID, RULES)
          } catch (error) {
            expect(error).toBeInstanceOf(OAuthError)
            return
          }
          const said = JSON.parse(text)
          expect(said.client_id).toBe(CLIENT_ID)
          expect(said).not.toHaveProperty('client_secret')
          for (const one of client.redirectUris) {
            expect(redirectUriProblem(one, redirectRules)).toBeUndefined()
            expect(said.redirect_uris).toContain(one)
          }
          for (const type of client.grantTypes) expect(SELF_DECLARED_GRANTS).toContain(type)
          expect(['none', 'private_key_jwt']).toContain(client.authMethod)
          if (client.authMethod === 'private_key_jwt') expect(client.keys).toBeDefined()
          if (client.keys?.kind === 'jwks') expect(hasSecretKey(client.keys.jwks)).toBe(false)
          if (client.keys?.kind === 'jwks_uri') expect(client.keys.uri).toMatch(/^https:\/\/[^@]+$/)
        },
      ),
      bounded(2),
    )
  })
})

describe('a redirect URI that a client may have', () => {
  it('leads a browser over https, to this computer or to an app, and never to us', () => {
    fc.assert(
      fc.property(uri, (text) => {
        if (redirectUriProblem(text, redirectRules) !== undefined) return
        const url = new URL(text)
        expect(url.hash + url.username + url.password).toBe('')
        if (url.protocol === 'http:')
          expect(url.hostname).toMatch(/^(?:localhost|127\.0\.0\.1|\[::1\])$/)
        else expect(url.protocol).not.toMatch(/^(?:javascript|data|file|blob|vbscript):$/)
        expect(url.href.startsWith('https://auth.example.com/token')).toBe(false)
      }),
      bounded(2),
    )
  })
})

describe('the URL that a client has as its id', () => {
  it('has one reading: a URL parser writes it as it came', () => {
    const text = fc.oneof(
      uri,
      fc.webPath().map((path) => `https://client.example${path}`),
    )
    fc.assert(
      fc.property(text, (id) => {
        if (clientIdUrlProblem(id, { loopback: false }) !== undefined) return
        const url = new URL(id)
        expect([id, id.replace(':443/', '/')]).toContain(url.href)
        expect(url.protocol).toBe('https:')
        expect(url.hostname).toMatch(/\.[a-z0-9-]*[a-z-][a-z0-9-]*$/)
      }),
      bounded(2),
    )
  })
})

describe('keys and times of a document', () => {
  it('a key set is public and small, or has a problem', () => {
    fc.assert(
      fc.property(jwks, (value) => {
        const read = readKeySet(value)
        if ('problem' in read) return
        expect(JSON.stringify(read.jwks)).not.toMatch(/"(?:d|k)":|"oct"/)
        expect(read.jwks.keys.length).toBeGreaterThan(0)
      }),
      bounded(),
    )
  })

  it('a document counts for a time within the bounds, whatever its headers say', () => {
    const bounds = { min: 60, max: 86_400, unsaid: 300 }
    const header = fc.oneof(
      fc.string({ maxLength: 20 }),
      fc.constantFrom('max-age=-1', 'max-age=1e9', 's-maxage=99999999999', 'no-store, max-age=5'),
      fc.constantFrom('Mon, 30 Nov 2026 15:00:00 GMT', '0'),
    )
    const headers = fc.record(
      { 'cache-control': header, age: header, expires: header, date: header },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(headers, (given) => {
        const seconds = freshnessOf(given, bounds)
        expect(seconds).toBeGreaterThanOrEqual(bounds.min)
        expect(seconds).toBeLessThanOrEqual(bounds.max)
      }),
      bounded(),
    )
  })
})
