/**
 * Whatever a stranger sends to an endpoint, the answer is one of its own: never a crash, never an open door, and no
 * input of theirs in a place of the answer that a browser would act on.
 */
import fc from 'fast-check'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { beforeEach, describe, expect, it } from 'vitest'
import { buildTestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  check,
  obtainTokens,
  type RegisteredClient,
  register,
} from '../support/oauth-client.ts'
import { bounded } from './runs.ts'

let app: FastifyInstance
let logs: readonly Record<string, unknown>[]
let client: RegisteredClient
let token: string
beforeEach(async () => {
  const gateway = await buildTestApp({ rateLimit: 0 })
  ;({ app, logs } = gateway)
  client = await register(app)
  token = (await obtainTokens(app)).tokens.access_token
})

const HOST = 'auth.example.com'
/** Characters that a header value can carry over the wire. */
const headerValue = fc.stringMatching(/^[\x20-\x7e\x80-\xff]{0,60}$/)
const anyText = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
)

/** @param allowed the statuses of the endpoint */
function expectOwn(answer: LightMyRequestResponse, allowed: readonly number[]): void {
  expect(allowed, answer.body).toContain(answer.statusCode)
  expect(logs.filter(({ event }) => event === 'request-crashed')).toEqual([])
}

describe('the check', () => {
  it('lets no credential in that a stranger makes up', async () => {
    const authorization = fc.oneof(
      headerValue,
      headerValue.map((value) => `Bearer ${value}`),
      fc.tuple(fc.nat(), fc.constantFrom('A', '-', '.', '=')).map(([at, put]) => {
        const place = at % token.length
        const changed = token.slice(0, place) + put + token.slice(place + 1)
        return `Bearer ${changed === token ? `${token}A` : changed}`
      }),
    )
    await fc.assert(
      fc.asyncProperty(authorization, async (value) => {
        const answer = await check(app, { authorization: value })
        expectOwn(answer, [400, 401, 403])
        expect(answer.headers).not.toHaveProperty('x-forwarded-user')
      }),
      bounded(),
    )
  })

  it('of an address that no server has lets nobody in, with a good token either', async () => {
    const other = fc.record(
      {
        'x-forwarded-host': fc.oneof(
          headerValue,
          fc.constantFrom('MCP.example.com', 'mcp.example.com.'),
        ),
        'x-forwarded-uri': fc.oneof(
          headerValue,
          headerValue.map((value) => `/notes/mcp${value}`),
        ),
        'x-forwarded-method': fc.oneof(headerValue, fc.constantFrom('GET', 'PUT', 'TRACE')),
        'x-forwarded-proto': fc.oneof(headerValue, fc.constantFrom('http', 'https', 'wss')),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(other, async (headers) => {
        const answer = await check(app, { authorization: `Bearer ${token}`, ...headers })
        expectOwn(answer, [200, 302, 400, 401, 403, 404, 405])
        if (answer.statusCode !== 200) return
        const {
          'x-forwarded-host': host = 'mcp.example.com',
          'x-forwarded-uri': uri = '/notes/mcp',
        } = headers
        expect(host.trim().toLowerCase()).toMatch(/^mcp\.example\.com\.?(?::(?:80|443))?$/)
        expect(uri).toMatch(/^\/notes\/mcp(?:[/?]|$)/)
      }),
      bounded(),
    )
  })
})

describe('the endpoints of the authorization server', () => {
  const FORM = 'application/x-www-form-urlencoded'
  const post = (url: string, payload: string, type: string, headers = {}) =>
    app.inject({
      method: 'POST',
      url,
      payload,
      headers: { host: HOST, 'content-type': type, ...headers },
    })
  const fields = fc.dictionary(
    fc.constantFrom(
      ...['grant_type', 'client_id', 'client_secret', 'code', 'code_verifier', 'redirect_uri'],
      ...['refresh_token', 'device_code', 'scope', 'resource', 'token', 'client_assertion'],
    ),
    fc.oneof(
      anyText,
      fc.constantFrom('authorization_code', 'refresh_token', 'client_credentials'),
      fc.constant('urn:ietf:params:oauth:grant-type:device_code'),
    ),
  )

  it.each(['/token', '/revoke', '/introspect', '/device_authorization'])(
    '%s answers any form with JSON, and gives no token',
    async (url) => {
      await fc.assert(
        fc.asyncProperty(
          fields,
          fc.boolean(),
          fc.option(headerValue),
          async (given, known, basic) => {
            const form = { ...given, ...(known && { client_id: client.client_id }) }
            const headers = basic === null ? {} : { authorization: `Basic ${basic}` }
            const body = new URLSearchParams(form).toString()
            const answer = await post(url, body, FORM, headers)
            // A client that has no secret may end tokens, and a token that is none is ended (RFC 7009 section 2.2).
            expectOwn(answer, url === '/revoke' ? [200, 400, 401] : [400, 401])
            expect(answer.body).not.toContain('access_token')
          },
        ),
        bounded(0.3),
      )
    },
  )

  it.each(['/token', '/register', '/authorize/consent', '/authorize/login', '/device'])(
    '%s answers any bytes as a bad request',
    async (url) => {
      const type = fc.constantFrom(FORM, 'application/json', 'text/plain', 'multipart/form-data')
      await fc.assert(
        fc.asyncProperty(
          fc.string({ unit: 'binary', maxLength: 200 }),
          type,
          async (payload, kind) => {
            // 429: too many wrong codes of devices.
            expectOwn(await post(url, payload, kind), [400, 401, 403, 413, 415, 429])
          },
        ),
        bounded(0.3),
      )
    },
  )

  it('/register answers any JSON, and keeps only redirect URIs that it names as good', async () => {
    const json = fc.dictionary(
      fc.constantFrom(
        ...['redirect_uris', 'client_name', 'grant_types', 'response_types', 'scope', 'jwks'],
        ...['token_endpoint_auth_method', 'application_type', 'logo_uri', 'contacts', '__proto__'],
      ),
      fc.oneof(
        fc.jsonValue({ maxDepth: 3 }),
        fc.array(fc.oneof(fc.webUrl(), anyText), { maxLength: 3 }),
      ),
    )
    await fc.assert(
      fc.asyncProperty(json, async (body) => {
        const answer = await post('/register', JSON.stringify(body), 'application/json')
        expectOwn(answer, [201, 400])
        if (answer.statusCode !== 201) return
        for (const uri of answer.json().redirect_uris ?? []) {
          expect(uri).toMatch(
            /^(?:https:\/\/|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])|[a-z][a-z0-9+.-]*:)/,
          )
          expect(uri).not.toMatch(/^(?:javascript|data|vbscript|file|blob):/i)
        }
      }),
      bounded(0.5),
    )
  })

  it('/authorize sends nobody to an address that the client did not register', async () => {
    const changes = fc.dictionary(
      fc.constantFrom(
        ...[
          'redirect_uri',
          'response_type',
          'response_mode',
          'scope',
          'state',
          'resource',
          'prompt',
        ],
        ...['code_challenge', 'code_challenge_method', 'max_age', 'login_hint', 'request'],
      ),
      fc.oneof(anyText, fc.webUrl(), fc.constantFrom('none', 'code', 'plain', 'S256', '0')),
    )
    await fc.assert(
      fc.asyncProperty(changes, async (given) => {
        const url = authorizeUrl(client, given)
        const answer = await app.inject({ url, headers: { host: HOST } })
        expectOwn(answer, [200, 302, 400])
        const { location } = answer.headers
        if (location === undefined) return
        const to = new URL(String(location))
        expect(to.origin + to.pathname).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/)
        expect(to.searchParams.get('iss')).toBe(`https://${HOST}`)
        expect(to.searchParams.has('code')).toBe(false)
      }),
      bounded(0.5),
    )
  })

  it('well-known paths answer with a document of ours or with none', async () => {
    const rest = fc.stringMatching(/^[\x21-\x7e]{0,40}$/)
    const document = fc.constantFrom(
      ...['oauth-authorization-server', 'openid-configuration', 'oauth-protected-resource'],
    )
    await fc.assert(
      fc.asyncProperty(document, rest, fc.boolean(), async (name, tail, isOwn) => {
        const host = isOwn ? HOST : 'mcp.example.com'
        const url = `/.well-known/${name}${tail.startsWith('/') ? tail : `/${tail}`}`
        const answer = await app.inject({ url, headers: { host } })
        expectOwn(answer, [200, 301, 302, 400, 404])
        if (answer.statusCode !== 200) return
        const { issuer, resource } = answer.json()
        if (name !== 'oauth-protected-resource') expect(issuer).toBe(`https://${HOST}`)
        else expect(resource).toMatch(/^https:\/\/mcp\.example\.com(?:\/notes\/mcp(?:\/.*)?|\/?)$/)
      }),
      bounded(0.5),
    )
  })
})
