/** Mistakes in the configuration of a proxy that nothing else shows (first-hour fm2, fm7). */
import { describe, expect, it } from 'vitest'
import { ANYONE, buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'

const CLIENT = {
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2025-11-25',
}
const DOCUMENT = '/.well-known/oauth-protected-resource/notes/mcp'

const start = () => buildTestApp({ resources: [resource({ allow: ANYONE })] })
const told = ({ logs }: TestApp, event: string) => logs.filter((line) => line.event === event)
const missing = (test: TestApp) => told(test, 'discovery-route-missing')

/** Asks as a client that has no token, as often, and so many seconds apart. */
async function knock(test: TestApp, times: number, headers: Record<string, string> = CLIENT) {
  for (let n = 0; n < times; n += 1) {
    expect((await check(test.app, headers)).statusCode).toBe(401)
    test.clock.advance(6)
  }
}

describe('fm2: a discovery document that nobody comes for', () => {
  it('is one warning, which names the host, the path and the server', async () => {
    const test = await start()
    await knock(test, 2)
    expect(missing(test)).toEqual([])
    await knock(test, 5)
    expect(missing(test)).toEqual([
      expect.objectContaining({
        level: 40,
        host: 'mcp.example.com',
        path: DOCUMENT,
        resource: 'notes',
        family: 'traefik',
        count: 3,
        msg: expect.stringContaining('route this path of this host to Gatewarden'),
      }),
    ])
  })

  it.each([DOCUMENT, '/.well-known/oauth-authorization-server'])(
    'is no warning once a client came for %s',
    async (url) => {
      const test = await start()
      await knock(test, 2)
      await test.app.inject({ url, headers: { host: 'mcp.example.com' } })
      await knock(test, 10)
      expect(missing(test)).toEqual([])
    },
  )

  it('is looked for where challenges say that it is', async () => {
    const resources = [resource({ allow: ANYONE })]
    const test = await buildTestApp({ resources, discoveryAt: 'gateway' })
    await knock(test, 4)
    const path = '/.well-known/oauth-protected-resource/auth/r/mcp.example.com/notes/mcp'
    expect(missing(test)).toMatchObject([{ host: 'auth.example.com', path }])
    const asked = await buildTestApp({ resources, discoveryAt: 'gateway' })
    await asked.app.inject({ url: path, headers: { host: 'auth.example.com' } })
    await knock(asked, 4)
    expect(missing(asked)).toEqual([])
  })

  it('is still missing if a document of another host arrives', async () => {
    const wiki = resource({ id: 'wiki', url: 'https://wiki.example.com/mcp', allow: ANYONE })
    const test = await buildTestApp({ resources: [resource({ allow: ANYONE }), wiki] })
    const host = 'wiki.example.com'
    await test.app.inject({ url: '/.well-known/oauth-protected-resource/mcp', headers: { host } })
    await knock(test, 4)
    expect(missing(test)).toMatchObject([{ resource: 'notes' }])
  })

  it('is no warning where a client asks several times before it looks', async () => {
    const test = await start()
    for (let n = 0; n < 10; n += 1) await check(test.app, CLIENT)
    expect(missing(test)).toEqual([])
  })

  it('is no warning for scanners and monitors, nor for clients that have a token', async () => {
    const test = await start()
    await knock(test, 10, { accept: '*/*' })
    const { tokens } = await obtainTokens(test.app)
    for (let n = 0; n < 5; n += 1) {
      await check(test.app, { ...CLIENT, authorization: `Bearer ${tokens.access_token}` })
      test.clock.advance(6)
    }
    expect(missing(test)).toEqual([])
  })
})

describe('fm7: the scheme that the proxy names', () => {
  const mismatch = (test: TestApp) => told(test, 'scheme-mismatch')

  it('is one warning for each server if it is not that of the address in the configuration', async () => {
    const test = await start()
    for (let n = 0; n < 3; n += 1) {
      await check(test.app, { 'x-forwarded-proto': 'http' })
      test.clock.advance(61)
    }
    expect(mismatch(test)).toEqual([
      expect.objectContaining({
        level: 40,
        resource: 'notes',
        url: 'https://mcp.example.com/notes/mcp',
        forwardedScheme: 'http',
      }),
    ])
  })

  it('is compared for nginx, which names it in the address', async () => {
    const test = await start()
    const url = 'http://mcp.example.com/notes/mcp'
    const headers = {
      'x-original-url': url,
      'x-original-method': 'POST',
      'x-forwarded-proto': undefined,
    }
    await check(test.app, headers, '/auth/nginx')
    expect(mismatch(test)).toMatchObject([{ forwardedScheme: 'http', family: 'nginx' }])
  })

  it.each(['https', 'wss', 'HTTPS', 'https, http', 'ftp', ''])(
    'is right or unknown: %j',
    async (scheme) => {
      const test = await start()
      await check(test.app, { 'x-forwarded-proto': scheme })
      expect(mismatch(test)).toEqual([])
    },
  )
})
