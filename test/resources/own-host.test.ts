/**
 * The host of `PUBLIC_URL` belongs to no wildcard: its pages are ours (threat T36).
 */
import { describe, expect, it } from 'vitest'
import { createResourceTable } from '../../src/resources/resource-table.ts'
import { ANYONE, buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import { startAccepting } from '../support/provider-tokens.ts'
import { HAND_COOKIE, makeSession } from '../support/session.ts'
import { startUpstream } from '../support/upstream-server.ts'

const WILD = 'https://*.example.com'
const OWN = 'auth.example.com'
const DOMAIN_SESSION = {
  grant: { resource: 'https://example.com' },
  claims: { aud: 'https://example.com' },
}

const plain = resource({ allow: ANYONE, isDefault: true })
/** Every host of the domain, with an application behind it. */
async function startWild() {
  const { origin: upstream } = await startUpstream((_, answer) => answer.end('the application'))
  return resource({ id: 'wild', url: WILD, allow: ANYONE, upstream })
}

/** An answer without the parts that differ from one request to the next. */
async function answerOf(
  { app }: TestApp,
  request: { url: string; method?: 'GET' | 'POST'; headers?: Record<string, string> },
) {
  const { statusCode, headers, body } = await app.inject({
    method: request.method ?? 'GET',
    url: request.url,
    headers: { host: OWN, ...request.headers },
  })
  const { date: _date, 'set-cookie': _cookie, 'x-request-id': _id, ...rest } = headers
  const steady = (text: string) =>
    text.replace(/<code>[\w-]+<\/code>/g, '').replace(/(nonce|interaction)(=|-|=")[\w-]+/g, '')
  return { status: statusCode, headers: steady(JSON.stringify(rest)), body: steady(body) }
}

describe('at2, T36: with a wildcard over the host of PUBLIC_URL, that host answers as without it', () => {
  it.each([
    ['/'],
    ['/evil.html'],
    ['/mcp'],
    ['/.gatewarden/login?rd=/evil.html'],
    ['/.gatewarden/login?rd=https%3A%2F%2Fauth.example.com%2Fevil.html'],
    ['/.well-known/oauth-protected-resource'],
    ['/.well-known/oauth-protected-resource/evil.html'],
    ['/auth/connect?callback_port=9&code=AAA-AAAA'],
    ['/auth/oidc-config'],
    ['/logout'],
  ])('%s', async (url) => {
    const settings = { cookieDomain: 'example.com', edgeAuth: true }
    const beside = await buildTestApp({ resources: [plain, await startWild()], ...settings })
    const alone = await buildTestApp({ resources: [plain], ...settings }, beside)
    const { token } = await makeSession(beside, DOMAIN_SESSION)
    for (const host of [OWN, 'AUTH.example.com.', 'auth.example.com:443', 'auth.example.com:80']) {
      const headers = { host, cookie: `${HAND_COOKIE}=${token}`, accept: 'text/html' }
      expect(await answerOf(beside, { url, headers }), host).toEqual(
        await answerOf(alone, { url, headers }),
      )
    }
  })

  it('and the wildcard covers every other host', async () => {
    const resources = [await startWild()]
    const test = await buildTestApp({ resources, cookieDomain: 'example.com' })
    const { token } = await makeSession(test, DOMAIN_SESSION)
    const cookie = `${HAND_COOKIE}=${token}`
    const headers = { host: 'wiki.example.com', cookie }
    const asked = await test.app.inject({ url: '/evil.html', headers })
    expect(asked.body).toBe('the application')
  })

  it('a check about it is refused, and a `resource` of it is unknown', async () => {
    const wild = await startWild()
    const { app } = await buildTestApp({ resources: [wild] })
    const asked = await app.inject({
      url: '/auth/traefik',
      headers: {
        'x-forwarded-host': OWN,
        'x-forwarded-uri': '/evil.html',
        'x-forwarded-method': 'GET',
        'x-forwarded-proto': 'https',
      },
    })
    expect(asked.statusCode).toBe(403)
    const table = createResourceTable([wild], { publicUrl: `https://${OWN}` })
    expect(table.byIndicator(`https://${OWN}`)).toBeUndefined()
    expect(table.byAudience(`https://${OWN}`)).toBeUndefined()
  })
})

it('at2: a resource that names the host of PUBLIC_URL covers it, and nothing else does', async () => {
  const named = resource({ id: 'named', url: `https://${OWN}/mcp` })
  const table = createResourceTable([resource({ id: 'wild', url: WILD }), named], {
    publicUrl: `https://${OWN}`,
  })
  expect(table.match(OWN, '/mcp')).toMatchObject({ resource: { id: 'named' } })
  expect(table.match(OWN, '/other')).toBe('unknown')
  expect(table.allAt(OWN).map(({ id }) => id)).toEqual(['named'])
})

it('at2: a token of the provider that names us is good at every server that accepts them, beside a wildcard too', async () => {
  const accepting = resource({ acceptProviderTokens: true })
  const test = await startAccepting({
    resources: [accepting, resource({ id: 'wild', url: WILD })],
  })
  const token = await test.token({ aud: [`https://${OWN}`, `https://${OWN}/mcp`] })
  expect((await test.bring(token)).statusCode).toBe(200)
  // A token that names a server of the wildcard is good there alone.
  const foreign = await test.token({ aud: [`https://${OWN}`, 'https://wiki.example.com'] })
  expect((await test.bring(foreign)).statusCode).toBe(401)
})

it('at2: no wildcard covers our host, on any port and in any spelling', () => {
  const ports = ['', ':443', ':8443', ':8080']
  const spellings = [
    (host: string) => host,
    (host: string) => host.toUpperCase(),
    (host: string) => host.replace(/(:\d+)?$/, '.$1'),
  ]
  for (const ownPort of ports) {
    for (const port of ports) {
      const table = createResourceTable([resource({ url: `https://*.example.test${port}` })], {
        publicUrl: new URL(`https://auth.example.test${ownPort}`).origin,
      })
      for (const spell of spellings) {
        expect(table.match(spell(`auth.example.test${port}`), '/x')).toBe('unknown')
        expect(table.match(spell(`not-auth.example.test${port}`), '/x')).toMatchObject({
          path: '/x',
        })
      }
    }
  }
})
