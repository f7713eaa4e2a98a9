import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Browser, createBrowser, hiddenField } from '../support/browser.ts'
import { buildTestApp, PASSWORD, type TestApp } from '../support/build-app.ts'
import { authorizeUrl, consentTo, register } from '../support/oauth-client.ts'
import { expectPage } from '../support/steps.ts'
import { storedRecords } from '../support/stored.ts'

const FORM = 'application/x-www-form-urlencoded'

let gateway: TestApp
let browser: Browser
let interaction: string
let before: Record<string, unknown>
beforeEach(async () => {
  gateway = await buildTestApp()
  browser = createBrowser(gateway.app)
  const login = await consentTo(browser, authorizeUrl(await register(gateway.app)))
  interaction = hiddenField(login.body, 'interaction')
  before = await storedRecords(gateway.storage)
})
afterEach(async () => {
  expect(await storedRecords(gateway.storage)).toEqual(before)
  expect(gateway.logs.filter(({ msg }) => msg === 'unexpected error')).toEqual([])
})

/** Sends a request of this browser, with any body. */
const send = (url: string, method: string, payload?: string | Buffer, type?: string) =>
  gateway.app.inject({
    // The list of `inject` lacks this method, but clients send it.
    method: method as 'GET',
    url,
    headers: {
      host: 'auth.example.com',
      cookie: [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      ...(type !== undefined && { 'content-type': type }),
    },
    ...(payload !== undefined && { payload }),
  })

describe.each([
  ['/authorize', ['GET', 'HEAD']],
  ['/authorize/consent', ['POST']],
  ['/authorize/login', ['GET', 'POST', 'HEAD']],
  ['/consent', ['POST']],
  ['/login', ['GET', 'POST', 'HEAD']],
])('%s', (url, allowed) => {
  const others = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND']
  it.each(others.filter((method) => !allowed.includes(method)))(
    'says to %s which methods it has',
    async (method) => {
      const response = await send(
        url,
        method,
        method === 'GET' || method === 'HEAD' ? undefined : 'x',
      )
      expect(response.statusCode).toBe(405)
      expect(response.headers.allow).toBe(allowed.join(', '))
      expect(response.headers['content-type']).toBe('text/html; charset=utf-8')
      expect(response.headers['set-cookie']).toBeUndefined()
    },
  )
})

describe.each(['/authorize/consent', '/authorize/login', '/consent', '/login'])(
  '%s refuses',
  (url) => {
    const fields = () =>
      new URLSearchParams({
        interaction,
        decision: 'approve',
        username: 'ann',
        password: PASSWORD,
      }).toString()

    it.each(['application/json', 'text/plain', 'multipart/form-data; boundary=x', 'nonsense'])(
      'the content type %s',
      async (type) => {
        expectPage(await send(url, 'POST', fields(), type), 415)
      },
    )

    it('a body of another shape without a content type', async () => {
      expectPage(await send(url, 'POST', '{"decision":"approve"}'), 415)
    })

    it('T12: a post without any body', async () => {
      expectPage(await send(url, 'POST'), 403)
    })

    it.each([
      ['nothing', ''],
      ['a decision and a password alone', `decision=approve&username=ann&password=${PASSWORD}`],
      ['a made-up interaction', 'interaction=x&decision=approve'],
    ])('T12: %s without the hidden field of a page of ours', async (_what, body) => {
      expectPage(await send(url, 'POST', body, FORM), 403)
    })

    it('a body of more than 32 KiB', async () => {
      expectPage(await send(url, 'POST', `${fields()}&x=${'a'.repeat(33_000)}`, FORM), 413)
    })

    it('a repeated interaction', async () => {
      expectPage(await send(url, 'POST', `${fields()}&interaction=x`, FORM), 400)
    })

    it.each<[string, string | Buffer]>([
      ['broken percent-encoding', 'interaction=%zz'],
      ['percent-encoded bytes that are no UTF-8', 'interaction=%ff%fe'],
      ['bytes that are no UTF-8', Buffer.from([0x61, 0x3d, 0xff])],
      ['control bytes', 'interaction=%00%01%0d%0a'],
      ['T33: 16,000 ampersands', '&'.repeat(16_000)],
    ])('%s', async (_what, body) => {
      expectPage(await send(url, 'POST', body, FORM), 400)
    })
  },
)

it.each([
  ['/consent', 'decision=approve&decision=deny'],
  ['/consent', 'decision='],
  ['/consent', 'decision=perhaps'],
  ['/consent', 'decision=approve%00'],
  ['/consent', ''],
  ['/login', `username=ann&username=bob&password=${PASSWORD}`],
  ['/login', `username=ann&password=${PASSWORD}&password=x`],
  ['/login', `username=ann%00&password=${PASSWORD}`],
  ['/login', `username=ann%0d%0aset-cookie:x&password=${PASSWORD}`],
])('an own interaction posted to %s with %s decides nothing', async (url, rest) => {
  const response = await send(url, 'POST', `interaction=${interaction}&${rest}`, FORM)
  expectPage(response, 400)
  expect(response.headers['set-cookie']).toBeUndefined()
})

it.each(['', '?', '?interaction=', '?interaction=%ff', '?interaction=x&interaction=y', '?%zz'])(
  'GET /login%s is a page that leads nowhere',
  async (query) => {
    expectPage(await send(`/login${query}`, 'GET'), 400)
  },
)

it('survives a cookie header full of rubbish', async () => {
  const response = await gateway.app.inject({
    url: `/login?interaction=${interaction}`,
    headers: {
      host: 'auth.example.com',
      cookie: `${'a=b; '.repeat(3000)}=; ;;;%zz=%zz; __Host-gw_browser=%00; __proto__=x`,
    },
  })
  expectPage(response, 400)
})
