/**
 * A person or a program? The headers are those that real browsers and clients send to a check; the lines with
 * "Chromium" were recorded there. A person always ends at a page with a way on, a program always gets a status.
 */
import type { LightMyRequestResponse } from 'fastify'
import { describe, expect, it } from 'vitest'
import { buildTestApp } from '../support/build-app.ts'
import { check } from '../support/oauth-client.ts'
import { makeSession } from '../support/session.ts'
import { createVisitor, webApp } from '../support/visitor.ts'

const HTML =
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8'
const fetched = (mode: string, destination: string, more: Record<string, string> = {}) => ({
  accept: HTML,
  'sec-fetch-mode': mode,
  'sec-fetch-dest': destination,
  'sec-fetch-site': 'same-origin',
  ...more,
})
const UPGRADE = { 'upgrade-insecure-requests': '1' }
const POST = { 'x-forwarded-method': 'POST' }

/** The answer in a word. */
function readerOf(answer: LightMyRequestResponse): string {
  const { location, 'www-authenticate': challenge, 'content-type': type } = answer.headers
  expect(challenge).toContain('resource_metadata=')
  if (answer.statusCode === 302) return location ? 'page' : 'nothing'
  expect(answer.statusCode).toBe(401)
  expect(location).toBeUndefined()
  if (type === 'application/json') return 'program'
  if (answer.body.includes('Nothing was saved')) return 'form'
  return answer.body.includes('target="_top">Sign in</a>') ? 'frame' : 'nothing'
}

const CASES: readonly (readonly [string, Record<string, string>, string])[] = [
  ['Chromium: a tab', fetched('navigate', 'document', UPGRADE), 'page'],
  ['a tab by HEAD', { ...fetched('navigate', 'document'), 'x-forwarded-method': 'HEAD' }, 'page'],
  ['Chromium: a worker passes a tab on', fetched('navigate', 'empty', UPGRADE), 'page'],
  ['Chromium: a worker changes an option', fetched('same-origin', 'empty', UPGRADE), 'page'],
  ['Chromium: a worker makes its own fetch of a tab', fetched('cors', 'empty', UPGRADE), 'frame'],
  [
    'Chromium: navigation preload',
    fetched('navigate', 'document', { 'service-worker-navigation-preload': 'true' }),
    'page',
  ],
  ['a browser without fetch metadata', { accept: HTML }, 'page'],
  ['the same over plain http', { accept: HTML, ...UPGRADE }, 'page'],
  ['a text browser', { accept: 'text/html, text/*;q=0.5, image/*' }, 'page'],
  ['ed15: a web view', fetched('navigate', 'document', { 'x-requested-with': 'com.x.y' }), 'page'],
  ['ed15: an old web view', { accept: HTML, 'x-requested-with': 'com.xmlhttprequest.app' }, 'page'],
  ['ed15: a web view that says nothing', { accept: HTML, 'x-requested-with': '' }, 'page'],
  ['ed15: a script', { accept: HTML, 'x-requested-with': 'XMLHttpRequest' }, 'program'],
  [
    'ed15: a script in lower case',
    { accept: HTML, 'x-requested-with': 'xmlhttprequest' },
    'program',
  ],
  [
    'ed15: a script in a web view',
    { accept: HTML, 'x-requested-with': 'XMLHttpRequest, com.x.y' },
    'program',
  ],
  ['ed17: Chromium: a frame', fetched('navigate', 'iframe', UPGRADE), 'frame'],
  [
    'ed17: a frame of another site',
    fetched('navigate', 'iframe', { 'sec-fetch-site': 'cross-site' }),
    'frame',
  ],
  ['ed17: a frame of a frameset', fetched('navigate', 'frame'), 'frame'],
  ['ed17: a fenced frame', fetched('navigate', 'fencedframe'), 'frame'],
  ['ed17: Chromium: an embed', fetched('navigate', 'embed', UPGRADE), 'frame'],
  ['ed17: Chromium: an object', fetched('navigate', 'object', UPGRADE), 'frame'],
  ['ed16: Chromium: a form', { ...fetched('navigate', 'document', UPGRADE), ...POST }, 'form'],
  ['ed16: a form in a frame', { ...fetched('navigate', 'iframe', UPGRADE), ...POST }, 'form'],
  [
    'ed16: a worker passes a form on',
    { ...fetched('navigate', 'empty', UPGRADE), ...POST },
    'form',
  ],
  ['ed16: a form of a browser without metadata', { accept: HTML, ...POST }, 'form'],
  ['Chromium: fetch', fetched('cors', 'empty', { accept: '*/*' }), 'program'],
  ['Chromium: fetch of a page', fetched('cors', 'empty', { accept: 'text/html' }), 'program'],
  [
    'Chromium: fetch that posts',
    { ...fetched('cors', 'empty', { accept: '*/*' }), ...POST },
    'program',
  ],
  ['fetch of a page, same origin alone', fetched('same-origin', 'empty'), 'program'],
  ['Chromium: a prefetch', fetched('no-cors', 'empty', { 'sec-purpose': 'prefetch' }), 'program'],
  ['Chromium: an image', fetched('no-cors', 'image', { accept: 'image/*,*/*;q=0.8' }), 'program'],
  ['Chromium: a script element', fetched('no-cors', 'script', { accept: '*/*' }), 'program'],
  ['Chromium: a style sheet', fetched('no-cors', 'style', { accept: 'text/css,*/*' }), 'program'],
  [
    'Chromium: a worker script',
    fetched('same-origin', 'serviceworker', { accept: '*/*' }),
    'program',
  ],
  ['a worker script that accepts pages', fetched('same-origin', 'worker', UPGRADE), 'program'],
  [
    'Chromium: an event stream',
    fetched('cors', 'empty', { accept: 'text/event-stream' }),
    'program',
  ],
  ['Chromium: a beacon', { ...fetched('no-cors', 'empty', { accept: '*/*' }), ...POST }, 'program'],
  ['Chromium: a download', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'empty' }, 'program'],
  ['a WebSocket', fetched('websocket', 'websocket', { accept: '*/*' }), 'program'],
  ['an unknown mode', fetched('webidentity', 'empty', UPGRADE), 'program'],
  ['an unknown destination', fetched('navigate', 'paintworklet'), 'program'],
  ['an MCP client', { accept: 'application/json, text/event-stream', ...POST }, 'program'],
  ['an MCP client that listens', { accept: 'text/event-stream' }, 'program'],
  ['an MCP client that takes all', { accept: 'text/html, text/event-stream' }, 'program'],
  ['curl', { accept: '*/*' }, 'program'],
  ["Node's fetch", { accept: '*/*', 'sec-fetch-mode': 'cors' }, 'program'],
  ['a program that says nothing', {}, 'program'],
]

it.each(CASES)('%s', async (_who, headers, reader) => {
  const { app } = await buildTestApp()
  expect(readerOf(await check(app, { 'x-forwarded-method': 'GET', ...headers }))).toBe(reader)
})

describe('ed16: a form that was sent after the session ended', () => {
  const FORM = { ...fetched('navigate', 'document', UPGRADE), ...POST }
  const origin = 'https://mcp.example.com'
  const linkOf = ({ body }: LightMyRequestResponse) =>
    /href="([^"]*)"[^>]*target="_blank"/.exec(body)?.[1]?.replaceAll('&amp;', '&') ?? ''
  const rdOf = (answer: LightMyRequestResponse) => new URL(linkOf(answer)).searchParams.get('rd')

  it('is answered with what to do, and a link that returns to the page of the form', async () => {
    const { app } = await buildTestApp()
    const answer = await check(app, { ...FORM, origin, referer: `${origin}/notes/mcp/edit?id=7` })
    expect(answer.body).toContain('go back one page')
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(rdOf(answer)).toBe('/notes/mcp/edit?id=7')
  })

  it.each([
    'https://evil.test/notes/mcp/edit',
    'https://mcp.example.com.evil.test/notes/mcp',
    'https://mcp.example.com@evil.test/notes/mcp',
    'https://mcp.example.com',
    'https://mcp.example.com/elsewhere',
    'https://mcp.example.com//evil.test',
    'https://mcp.example.com/.gatewarden/login?rd=/x',
    '',
  ])('leads to the first page where that page is not one of the server: %j', async (referer) => {
    const { app } = await buildTestApp()
    const answer = await check(app, { ...FORM, 'x-forwarded-uri': '/notes/mcp/save', referer })
    expect(rdOf(answer)).toBe('/notes/mcp')
  })

  it('of a bad token stays what it was for programs', async () => {
    const { app } = await buildTestApp()
    const answer = await check(app, { ...FORM, authorization: 'Bearer x' })
    expect(answer.headers['content-type']).toBe('application/json')
  })
})

it('a service worker that changes an option of each page load still lets a person sign in', async () => {
  const test = await buildTestApp({ resources: [webApp('far.example.org')] })
  const visitor = createVisitor(test)
  const worker = { ...fetched('same-origin', 'empty', UPGRADE) }
  const begun = await visitor.step('https://far.example.org/', worker)
  const gateway = await visitor.step(String(begun.headers.location), worker)
  const login = await visitor.open(String(gateway.headers.location))
  const refused = await visitor.step(String(gateway.headers.location), worker)
  expect(refused.statusCode).toBe(403)
  expect((await visitor.signIn(login)).url.href).toBe('https://far.example.org/')
})

describe('ed17: the page in a frame', () => {
  const FRAME = fetched('navigate', 'iframe')

  it('may stand in a frame of any page, and has links alone, which open at the top', async () => {
    const { app } = await buildTestApp()
    const answer = await check(app, { 'x-forwarded-method': 'GET', ...FRAME })
    expect(answer.headers['content-security-policy']).not.toContain('frame-ancestors')
    expect(answer.headers['x-frame-options']).toBeUndefined()
    expect(answer.body).toContain('<base target="_top">')
    expect(answer.body).not.toMatch(/<form|<input|<button/)
  })

  it('says why a person is refused, too', async () => {
    const test = await buildTestApp()
    const { cookie } = await makeSession(test, { grant: { subject: 'bob' } })
    const answer = await check(test.app, { 'x-forwarded-method': 'GET', ...FRAME, cookie })
    expect(answer.statusCode).toBe(403)
    expect(answer.body).toContain('You may not use Team notes')
    expect(answer.headers['x-frame-options']).toBeUndefined()
  })
})
