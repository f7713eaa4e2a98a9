/**
 * Forms of our own, and forms of other pages: consent, login and both sign-outs decide alike (decision K41).
 */
import { describe, expect, it } from 'vitest'
import { isFromOwnPage, isOwnForm } from '../../src/http/browser-request.ts'
import { DOUBLED, type HeaderValue } from '../../src/http/raw-headers.ts'
import { buildTestApp } from '../support/build-app.ts'
import { exchange, listen } from '../support/raw-http.ts'

const OWN = 'Origin: https://auth.example.com'
const NULL = 'Origin: null'
const EVIL = 'Origin: https://evil.example'
const PORT = 'Origin: https://auth.example.com:8443'
const site = (value: string) => `Sec-Fetch-Site: ${value}`
const NAVIGATE = 'Sec-Fetch-Mode: navigate'

/** The status of a form without an interaction: 403 from another page, and else of what each form lacks. */
const FORMS = [
  ['/authorize/consent', 'This page is no longer valid'],
  ['/authorize/login', 'This page is no longer valid'],
  ['/consent', 'This page is no longer valid'],
  ['/login', 'This page is no longer valid'],
  ['/logout', 'You are signed out'],
  ['/.gatewarden/logout', 'You are signed out'],
] as const

const REFUSED = 'Another website tried to answer for you'
const SCRIPT = 'A part of another page asked for this page'

describe.each(FORMS)('K41: a form for %s', (path, taken) => {
  it.each([
    ['of our own page', [OWN, site('same-origin'), NAVIGATE], taken],
    ['of our own page without an address', [NULL, site('same-origin'), NAVIGATE], taken],
    ['of our own page behind another port', [PORT, site('same-origin'), NAVIGATE], taken],
    ['of our own page without Origin', [site('same-origin'), NAVIGATE], taken],
    ['of our own page in an old browser', [OWN], taken],
    ['of a program', [], taken],
    ['of an old browser without an address', [NULL], REFUSED],
    ['of another page in an old browser', [EVIL], REFUSED],
    ['of another port in an old browser', [PORT], REFUSED],
    ['of another page', [EVIL, site('cross-site'), NAVIGATE], REFUSED],
    ['of a sandboxed page', [NULL, site('cross-site'), NAVIGATE], REFUSED],
    ['of a neighbouring host', [site('same-site'), NAVIGATE], REFUSED],
    ['of nobody', [NULL, site('none'), NAVIGATE], REFUSED],
    ['with two origins', [EVIL, OWN, site('same-origin'), NAVIGATE], REFUSED],
    ['with two sites', [OWN, site('same-origin'), site('same-origin'), NAVIGATE], REFUSED],
    ['of a script', [OWN, site('same-origin'), 'Sec-Fetch-Mode: cors'], SCRIPT],
    ['of a frame', [OWN, site('same-origin'), NAVIGATE, 'Sec-Fetch-Dest: iframe'], SCRIPT],
  ])('%s', async (_what, headers, words) => {
    const { app } = await buildTestApp()
    const answer = await exchange(await listen(app), [
      `POST ${path} HTTP/1.1`,
      'Host: auth.example.com',
      'Accept: text/html',
      'Content-Type: application/x-www-form-urlencoded',
      'Content-Length: 0',
      ...headers,
    ])
    expect(answer.body).toContain(words)
  })
})

it('K41: only a browser that says same-origin and navigate makes another Origin pass, at our forms and at checks', () => {
  const sites = ['same-origin', 'same-site', 'cross-site', 'none', 'SAME-ORIGIN', '', undefined]
  const modes = ['navigate', 'cors', 'no-cors', 'same-origin', 'websocket', '', undefined]
  const origins: readonly HeaderValue[] = ['null', 'https://evil.example', '', DOUBLED]
  for (const from of sites) {
    for (const mode of modes) {
      const rawHeaders = [
        ...(from === undefined ? [] : ['Sec-Fetch-Site', from]),
        ...(mode === undefined ? [] : ['Sec-Fetch-Mode', mode]),
      ]
      for (const origin of origins) {
        const passes =
          from === 'same-origin' && origin !== DOUBLED && (mode === 'navigate' || origin === 'null')
        expect(isOwnForm(origin, rawHeaders)).toBe(passes)
        const request: Parameters<typeof isFromOwnPage>[0] = { method: 'POST', origin, rawHeaders }
        expect(isFromOwnPage(request, { origin: 'https://mcp.example.com' })).toBe(passes)
      }
    }
  }
})
