import { describe, expect, it } from 'vitest'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { authorizeUrl, check, obtainTokens, register } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { startUpstream } from '../support/upstream-server.ts'

const NAME = 'strict-transport-security'
const OWN = 'auth.example.com'
const navigation = { accept: 'text/html', 'sec-fetch-mode': 'navigate' }

async function policyAt(
  app: Awaited<ReturnType<typeof buildTestApp>>['app'],
  url: string,
  host = OWN,
) {
  const answer = await app.inject({ url, headers: { host, ...navigation } })
  return [answer.statusCode, answer.headers[NAME]]
}

describe('ed29: a browser that was here once opens the gateway by https alone', () => {
  it('after a page, a redirect, a document and an error', async () => {
    const { app } = await buildTestApp()
    const authorize = authorizeUrl(await register(app))
    expect(await policyAt(app, authorize)).toEqual([200, 'max-age=31536000'])
    expect(await policyAt(app, '/authorize?client_id=nobody')).toEqual([400, 'max-age=31536000'])
    const page = `/.gatewarden/login?rd=${encodeURIComponent('https://mcp.example.com/notes/mcp')}`
    expect(await policyAt(app, page)).toEqual([302, 'max-age=31536000'])
    expect(await policyAt(app, '/jwks')).toEqual([200, 'max-age=31536000'])
    expect(await policyAt(app, '/nothing')).toEqual([404, 'max-age=31536000'])
    expect(await policyAt(app, '/jwks', 'AUTH.example.com.:443')).toEqual([200, 'max-age=31536000'])
  })

  it('but not after an answer on the host of an application, whose other ports may be http', async () => {
    const { app } = await buildTestApp()
    const page = '/.gatewarden/login?rd=/notes/mcp'
    expect(await policyAt(app, page, 'mcp.example.com')).toEqual([302, undefined])
    expect((await check(app, navigation)).headers).not.toHaveProperty(NAME)
  })

  it('but not where the gateway is plain http, or HSTS is off', async () => {
    const plain = { origin: 'http://localhost:8080', host: 'localhost:8080', secure: false }
    const { app, restart } = await buildTestApp({ publicUrl: plain })
    expect(await policyAt(app, '/jwks', 'localhost:8080')).toEqual([200, undefined])
    const off = await restart({ hsts: false, publicUrl: { ...plain, ...https } })
    expect(await policyAt(off.app, '/jwks')).toEqual([200, undefined])
  })

  it('and an answer of a server behind us has its own header alone, or none, on our host too', async () => {
    const upstream = await startUpstream((request, response) => {
      if (request.url === '/own') response.setHeader(NAME, 'max-age=5')
      response.end()
    })
    const { app } = await buildTestApp({
      resources: [resource({ url: `https://${OWN}`, upstream: upstream.origin, allow: ANYONE })],
    })
    const { tokens } = await obtainTokens(app, { authorize: { resource: `https://${OWN}` } })
    const port = await listen(app)
    for (const [path, expected] of [
      ['/own', ['max-age=5']],
      ['/none', []],
    ] as const) {
      const answer = await exchange(port, [
        `GET ${path} HTTP/1.1`,
        `Host: ${OWN}`,
        `Authorization: Bearer ${tokens.access_token}`,
      ])
      expect([answer.status, answer.values(NAME)]).toEqual([200, expected])
    }
  })
})

const https = { origin: `https://${OWN}`, host: OWN, secure: true }
