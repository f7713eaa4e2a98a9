/**
 * People whom a check refuses see our page behind every proxy, and a page while Gatewarden does not run (case fp8);
 * programs get the status alone.
 *
 * @module
 */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import type { Browser as Chromium, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { blockOf, ROOT, readPage } from '../support/documentation.ts'
import { startChromium } from './support/chromium.ts'
import { typeLogin } from './support/chromium-login.ts'
import { startDocumentedTraefik } from './support/documented-traefik.ts'
import { callWith, signInByHand } from './support/hand-client.ts'
import { exchange } from './support/http-exchange.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'
import { isSkipped } from './support/tools.ts'
import { startWorld, type World } from './support/world.ts'

const PERSON = {
  accept: 'text/html,*/*;q=0.8',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
}
const PROGRAM = { accept: 'application/json, text/event-stream' }
const AWAY = 'Not available at this moment'

describe.each(['nginx', 'traefik'] as const)('fp8: behind %s', (front) => {
  describe.skipIf(isSkipped(front) || isSkipped('chromium'))('a refused person', () => {
    let chromium: Chromium
    let application: RecordingServer
    let world: World
    let page: Page
    const allow = { emails: ['ann@example.com'] }

    beforeAll(async () => {
      chromium = await startChromium()
      application = await startRecordingServer((_request, response) => {
        response.setHeader('content-type', 'text/html')
        response.end('<title>application</title>')
      })
      world = await startWorld({
        front,
        twoHosts: true,
        upstream: application.address,
        file: { allow },
      })
      page = await chromium.newPage()
      await page.goto(world.mcpUrl)
      await typeLogin(page, world.ann)
      await page.waitForURL(world.mcpUrl)
      expect(await page.title()).toBe('application')
    })
    afterAll(async () => {
      await chromium?.close()
      await world?.stop()
      await application?.close()
    })

    it('sees who they are, the number of the request in the log, and a way to another account', async () => {
      allow.emails = ['nobody@example.com']
      await world.restart()
      const before = application.requests.length
      const answer = await page.goto(world.mcpUrl)
      expect(answer?.status()).toBe(403)
      expect(await page.textContent('main')).toContain('ann')
      const number = await page.textContent('.request code')
      expect(world.log()).toContain(`"requestId":"${number}"`)
      const link = page.getByRole('link', { name: /someone else|another account/i })
      expect(await link.getAttribute('href')).toContain('/logout')
      expect(application.requests.length).toBe(before)
      // Its style applies: the policy of the page arrives with the page.
      const card = page.locator('main')
      expect(await card.evaluate((main) => getComputedStyle(main).borderTopWidth)).toBe('1px')
      const headers = (await answer?.headersArray()) ?? []
      const names = headers.map(({ name }) => name.toLowerCase())
      expect(names.filter((name) => name === 'cache-control')).toHaveLength(1)
      expect(names.filter((name) => /^x-(forwarded|user)/.test(name))).toEqual([])
    })

    it('who is a program gets the status, and no page', async () => {
      const cookies = await page.context().cookies(world.mcpUrl)
      const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
      const answer = await exchange(new URL(world.mcpUrl), { headers: { ...PROGRAM, cookie } })
      expect(answer.status).toBe(403)
      expect(answer.body).not.toContain('<main>')
    })
  })
})

describe.skipIf(isSkipped('nginx'))('fp8: behind nginx', () => {
  it('a person without a session sees the page of an address that is no server, a program none', async () => {
    const world = await startWorld({
      front: 'nginx',
      twoHosts: true,
      file: { resources: ['https://elsewhere.example.com/mcp'] },
    })
    try {
      const person = await exchange(new URL(world.mcpUrl), { headers: PERSON })
      expect(person.status).toBe(403)
      expect(person.body).toContain('Nothing can be opened at this address')
      const program = await exchange(new URL(world.mcpUrl), { headers: PROGRAM })
      expect(program.status).toBe(403)
      expect(program.body).not.toContain('Nothing can be opened')
    } finally {
      await world.stop()
    }
  })

  it('a frame gets the page with a link, and its challenge once', async () => {
    const world = await startWorld({ front: 'nginx', twoHosts: true })
    try {
      const framed = { ...PERSON, 'sec-fetch-dest': 'iframe' }
      const answer = await exchange(new URL(world.mcpUrl), { headers: framed })
      expect(answer.status).toBe(401)
      expect(answer.body).toContain('/.gatewarden/login')
      expect(answer.headers['www-authenticate']?.match(/Bearer/g)).toHaveLength(1)
    } finally {
      await world.stop()
    }
  })

  it('a form gets the page, and an upload of a stranger is refused without being read', async () => {
    const world = await startWorld({ front: 'nginx', twoHosts: true })
    const post = (body: string, more = {}) =>
      exchange(new URL(world.mcpUrl), {
        method: 'POST',
        headers: { ...PERSON, 'content-type': 'application/x-www-form-urlencoded', ...more },
        body,
      })
    try {
      const form = await post('a=b', { 'content-length': '3' })
      expect([form.status, form.body]).toEqual([401, expect.stringContaining('<main>')])
      const chunked = await post('a=b', { 'transfer-encoding': 'chunked' })
      expect([chunked.status, chunked.body]).toEqual([401, expect.not.stringContaining('<main>')])
      // Only the first bytes of a gigabyte arrive; the answer does not wait for the rest.
      const upload = await firstAnswer(new URL(world.mcpUrl), [
        'POST /mcp HTTP/1.1',
        `Host: ${new URL(world.mcpUrl).host}`,
        'Accept: text/html',
        'Content-Length: 1000000000',
        '',
        'a=b',
      ])
      expect(upload).toMatch(/^HTTP\/1\.1 401 /)
      expect(upload).not.toContain('<main>')
    } finally {
      await world.stop()
    }
  })

  it('people see away.conf while Gatewarden does not run, at the login too; clients get 503', async () => {
    const world = await startWorld({ front: 'nginx', twoHosts: true })
    try {
      await world.stopGatewarden()
      const login = `${world.publicUrl}/.gatewarden/login?rd=x`
      for (const url of [world.mcpUrl, login, `${world.publicUrl}/authorize`]) {
        const person = await exchange(new URL(url), { headers: PERSON })
        expect([url, person.status]).toEqual([url, 503])
        expect(person.body).toContain(AWAY)
        expect(person.headers['content-type']).toBe('text/html; charset=utf-8')
        expect(person.headers['retry-after']).toBe('2')
        const program = await exchange(new URL(url), { headers: PROGRAM })
        expect([program.status, program.headers['retry-after']]).toEqual([503, '2'])
        expect(program.body).not.toContain(AWAY)
      }
    } finally {
      await world.stop()
    }
  })

  it('a person in an outage of the store sees the page of Gatewarden, with a number', async () => {
    // A stand-in: the store of a real one cannot be taken away from outside within a second.
    const gatewarden = await startRecordingServer((asked, answer) => {
      answer.writeHead(503, { 'Retry-After': '7', 'Content-Type': 'text/html' })
      answer.end(asked.url === '/auth/nginx/page' ? '<main>our page</main>' : '')
    })
    const world = await startWorld({
      front: 'nginx',
      twoHosts: true,
      changeNginx: (text, name) =>
        name.endsWith('http.conf')
          ? text.replace(/(upstream gatewarden \{\s+server )[^;]+;/, `$1${gatewarden.address};`)
          : text,
    })
    try {
      const { status, body, headers } = await exchange(new URL(world.mcpUrl), { headers: PERSON })
      expect([status, body, headers['retry-after']]).toEqual([503, '<main>our page</main>', '7'])
      // The second question is the first one in other words: the same headers, and no body.
      const [check, second] = gatewarden.requests.slice(-2)
      const asked = (request = check) => ({ ...request?.headers, connection: '' })
      expect([check?.url, second?.url]).toEqual(['/auth/nginx', '/auth/nginx/page'])
      expect(asked(second)).toEqual(asked(check))
    } finally {
      await world.stop()
      await gatewarden.close()
    }
  })
})

describe.skipIf(isSkipped('traefik'))('fp8: the errors middleware of the Traefik page', () => {
  it('shows away.html while Gatewarden does not run, and changes nothing else', async () => {
    const away = await startRecordingServer(async (request, answer) => {
      answer.setHeader('content-type', 'text/html; charset=utf-8')
      answer.writeHead(request.url === '/away.html' ? 200 : 404)
      answer.end(await readFile(`${ROOT}deploy/away.html`))
    })
    const app = await startRecordingServer((request, answer) => {
      answer.writeHead(Number(/status=(\d+)/.exec(request.url ?? '')?.[1] ?? 200))
      answer.end('app')
    })
    const traefikPage = readPage('docs/proxies/traefik.md')
    const dynamic = merged(
      parse(blockOf(traefikPage, 'example: dynamic.yml')),
      parse(blockOf(traefikPage, 'example: away').replace('away:80', away.address)),
    )
    const documented = await startDocumentedTraefik({
      gatewarden: blockOf(traefikPage, 'example: gatewarden.yaml'),
      dynamic: stringify(dynamic),
      upstream: app.address,
    })
    try {
      const { issuer, notes, ann } = documented
      const { tokens } = await signInByHand({ issuer, resource: notes, person: ann })
      for (const status of [200, 400, 401, 403, 404, 502, 503]) {
        const answer = await callWith(tokens.access_token, `${notes}?status=${status}`)
        expect([answer.status, answer.body]).toEqual([status, 'app'])
      }
      const challenge = await exchange(new URL(notes))
      expect(challenge.status).toBe(401)
      expect(challenge.headers['www-authenticate']).toMatch(/^Bearer resource_metadata=/)
      expect(away.requests).toHaveLength(0)

      await documented.stopGatewarden()
      for (const headers of [PERSON, PROGRAM]) {
        const answer = await exchange(new URL(notes), { headers })
        expect(answer.status).toBe(503)
        expect(answer.body).toContain(AWAY)
      }
    } finally {
      await documented.stop()
      await app.close()
      await away.close()
    }
  })
})

/** Sends these lines and leaves the connection open. @returns the first bytes of the answer */
async function firstAnswer({ hostname, port }: URL, lines: readonly string[]): Promise<string> {
  const socket = connect(Number(port), hostname)
  socket.write(lines.join('\r\n'))
  const [bytes] = await once(socket, 'data')
  socket.destroy()
  return String(bytes)
}

/** Two YAML maps as one: the second adds to the first, and replaces its lists. */
function merged(base: unknown, added: unknown): unknown {
  if (!isMap(base) || !isMap(added)) return added
  const keys = new Set([...Object.keys(base), ...Object.keys(added)])
  return Object.fromEntries(
    [...keys].map((key) => [key, key in added ? merged(base[key], added[key]) : base[key]]),
  )
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
