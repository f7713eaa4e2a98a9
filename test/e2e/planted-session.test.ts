/**
 * A hostile sibling host that sets a session of its own for the whole domain, in a real browser over https.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request as ask } from 'node:http'
import { createServer, type Server } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hash } from '@node-rs/argon2'
import type { BrowserContext, Browser as Chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningGatewarden, startGatewarden } from '../../scripts/lib/gatewarden.ts'
import { freePort } from '../../scripts/lib/ports.ts'
import { makeCertificate } from './support/certificate.ts'
import { startChromium } from './support/chromium.ts'
import { typeLogin } from './support/chromium-login.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'
import { isSkipped } from './support/tools.ts'

const ANN = { name: 'ann', password: 'correct horse battery staple' }
const EVE = { name: 'eve', password: 'tall green paper lantern' }

describe.skipIf(isSkipped('chromium')).each([
  { where: 'without COOKIE_DOMAIN', settings: {}, isFixed: true },
  { where: 'under COOKIE_DOMAIN', settings: { COOKIE_DOMAIN: 'example.test' }, isFixed: false },
])('at9, T43: a sibling that plants its session $where', ({ settings, isFixed }) => {
  let folder: string
  let chromium: Chromium
  let application: RecordingServer
  let gatewarden: RunningGatewarden
  let front: Server
  let port: number
  /** The `Set-Cookie` lines of the sibling's page. */
  let planted: string[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatewarden-'))
    application = await startRecordingServer(({ headers }, response) => {
      response.setHeader('content-type', 'text/html')
      response.end(`<p id="user">${headers['x-forwarded-user'] ?? 'nobody'}</p>`)
    })
    port = await freePort()
    const listen = { host: '127.0.0.1', port: await freePort() }
    const origin = `https://auth.example.test:${port}`
    gatewarden = await startGatewarden({
      folder,
      listen,
      file: {
        public_url: origin,
        resources: { app: { url: `${origin}/app`, upstream: `http://${application.address}/app` } },
        allow: { emails: ['*'] },
        users: {
          ann: { email: 'ann@example.com', password_hash: await hash(ANN.password) },
          eve: { email: 'eve@example.com', password_hash: await hash(EVE.password) },
        },
      },
      settings: { LOG_LEVEL: 'debug', ...settings },
    })
    const { keyFile, certFile } = await makeCertificate(join(folder, 'tls'))
    const [key, cert] = await Promise.all([keyFile, certFile].map((file) => readFile(file)))
    front = createServer({ key, cert }, (request, response) => {
      if (request.headers.host?.startsWith('blog.')) {
        response.setHeader('set-cookie', planted)
        response.end('planted')
        return
      }
      const { method, url, headers } = request
      const onward = ask({ ...listen, method, path: url, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      })
      request.pipe(onward)
    })
    await new Promise<void>((resolve) => {
      front.listen(port, '127.0.0.1', resolve)
    })
    chromium = await startChromium(['--host-resolver-rules=MAP *.example.test 127.0.0.1'])
  })
  afterAll(async () => {
    await chromium?.close()
    front?.closeAllConnections()
    front?.close()
    await gatewarden?.stop()
    await application?.close()
    await rm(folder, { recursive: true, force: true })
  })

  const newContext = () => chromium.newContext({ ignoreHTTPSErrors: true })
  const app = () => `https://auth.example.test:${port}/app`

  async function userAt(context: BrowserContext, person?: typeof ANN): Promise<string | null> {
    const page = await context.newPage()
    await page.goto(app())
    if (person) {
      await typeLogin(page, person)
      await page.waitForURL(app())
    }
    return (await page.locator('#user').count()) > 0 ? page.textContent('#user') : null
  }

  it('changes nobody to somebody else where one host is enough, before the sign-in and after', async () => {
    const attacker = await newContext()
    expect(await userAt(attacker, EVE)).toBe('eve@example.com')
    const session = (await attacker.cookies()).find(({ name }) => name.includes('gw_session'))
    expect(session?.name).toMatch(isFixed ? /^__Host-gw_session$/ : /^__Secure-gw_session_/)
    planted = ['CF_Authorization', session?.name ?? '', '__Host-gw_session'].map(
      (name) => `${name}=${session?.value}; Domain=example.test; Path=/; Secure`,
    )
    const victim = await newContext()
    const sibling = await victim.newPage()
    const plant = () => sibling.goto(`https://blog.example.test:${port}/`)
    await plant()
    // Under the domain the sibling's session counts: the documentation and PROD_MODE say so.
    expect(await userAt(victim)).toBe(isFixed ? null : 'eve@example.com')
    if (!isFixed) return
    expect(await userAt(victim, ANN)).toBe('ann@example.com')
    await plant()
    expect(await userAt(victim)).toBe('ann@example.com')
  })
})
