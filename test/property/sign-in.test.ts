/**
 * The addresses of a sign-in as strangers make them up: no link of theirs leads a browser to another site, and no answer
 * that nobody waits for signs anybody in.
 */
import fc from 'fast-check'
import type { FastifyInstance } from 'fastify'
import { beforeEach, describe, expect, it } from 'vitest'
import { buildTestApp } from '../support/build-app.ts'
import { bounded } from './runs.ts'

const BROWSER = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
const OURS = ['https://auth.example.com', 'https://mcp.example.com']

let app: FastifyInstance
beforeEach(async () => {
  app = (await buildTestApp({ rateLimit: 0 })).app
})

const open = (url: string, host: string, cookie = '') =>
  app.inject({ url, headers: { host, cookie, ...BROWSER } })

/** @param asked the address that was asked, which a relative `Location` belongs to */
function expectHere(location: unknown, asked: string): void {
  if (location !== undefined) expect(OURS).toContain(new URL(String(location), asked).origin)
}

describe('a link of a stranger', () => {
  const page = fc.oneof(
    fc
      .tuple(
        fc.constantFrom(
          '',
          'https://',
          '//',
          '/\\',
          'https:',
          'https://mcp.example.com',
          'javascript:',
        ),
        fc.constantFrom(
          'evil.example',
          '/notes/mcp',
          '@evil.example',
          '.evil.example',
          ':443/notes/mcp',
          '/%2e%2e/',
        ),
        fc.string({ maxLength: 6 }),
      )
      .map((parts) => parts.join('')),
    fc.webUrl(),
  )
  const host = fc.constantFrom('auth.example.com', 'mcp.example.com')

  it('to the login leads to our own hosts alone', async () => {
    await fc.assert(
      fc.asyncProperty(page, host, async (rd, at) => {
        const path = `/.gatewarden/login?rd=${encodeURIComponent(rd)}`
        const answer = await open(path, at)
        expect([200, 302, 303, 400]).toContain(answer.statusCode)
        expectHere(answer.headers.location, `https://${at}${path}`)
      }),
      bounded(0.2),
    )
  })

  it('to a callback, with any answer and any cookies, signs nobody in', async () => {
    const text = fc.stringMatching(/^[\w.~+/=-]{0,40}$/)
    const cookie = fc
      .array(
        fc.tuple(
          fc.constantFrom('__Host-gw_browser', '__Host-gw_flow_x', '__Host-gw_session', 'a'),
          text,
        ),
      )
      .map((all) => all.map((one) => one.join('=')).join('; '))
    const query = fc.dictionary(
      fc.constantFrom(
        'code',
        'state',
        'iss',
        'error',
        'nonce',
        'interaction',
        'rd',
        'error_description',
      ),
      fc.oneof(text, fc.string({ maxLength: 20 })),
    )
    const path = fc.constantFrom(
      '/callback',
      '/.gatewarden/callback',
      '/authorize/consent',
      '/authorize/login',
      '/logout',
    )
    await fc.assert(
      fc.asyncProperty(path, query, cookie, host, async (start, given, cookies, at) => {
        const answer = await open(`${start}?${new URLSearchParams(given)}`, at, cookies)
        expect(answer.statusCode).toBeLessThan(500)
        expectHere(answer.headers.location, `https://${at}${start}`)
        const set = [answer.headers['set-cookie'] ?? []].flat()
        expect(
          set.filter(
            (line) => /gw_session|CF_Authorization/.test(line) && !/Max-Age=0|1970/.test(line),
          ),
        ).toEqual([])
      }),
      bounded(0.2),
    )
  })
})
