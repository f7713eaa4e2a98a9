/**
 * The last step to a host that sets its own cookie: the code that carries a session there (decision K24).
 */
import { describe, expect, it } from 'vitest'
import { StorageUnavailable } from '../../src/storage/storage.ts'
import { buildTestApp, type TestApp } from '../support/build-app.ts'
import { storedKeys } from '../support/stored.ts'
import { createVisitor, isLetIn, linkOf, type Visitor, webApp } from '../support/visitor.ts'

const PAGE = 'https://far.example.org/pages/1?q=2'
const CONFIG = { resources: [webApp('far.example.org'), webApp('other.example.net')] }
const REFUSED = 'https://auth.example.com/.gatewarden/refused?rd=https%3A%2F%2Ffar.example.org'

/** No session, and no page: a script of the application could read the address of one. */
function expectRefused(answer: Awaited<ReturnType<Visitor['step']>>): void {
  expect(answer.statusCode).toBe(302)
  expect(answer.headers).toMatchObject({
    location: REFUSED,
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
  })
  expect(answer.headers['set-cookie']).toBeUndefined()
  expect(answer.body).toBe('')
}

/** A person who typed their password, and the address that the gateway sends them to, not opened yet. */
async function onTheWay(test: TestApp): Promise<{ visitor: Visitor; callback: string }> {
  const visitor = createVisitor(test)
  const login = await visitor.open(PAGE)
  const interaction = new URL(login.url).searchParams.get('interaction') ?? ''
  const cookie = visitor.jar.header(login.url) ?? ''
  const answer = await test.app.inject({
    method: 'POST',
    url: '/login',
    headers: {
      host: 'auth.example.com',
      cookie,
      'content-type': 'application/x-www-form-urlencoded',
    },
    payload: new URLSearchParams({
      interaction,
      username: 'ann',
      password: 'correct horse',
    }).toString(),
  })
  expect(answer.statusCode).toBe(303)
  return { visitor, callback: String(answer.headers.location) }
}

describe('the code of a session', () => {
  it('leads to its host by an address that says nothing else, and to the page', async () => {
    const { visitor, callback } = await onTheWay(await buildTestApp(CONFIG))
    expect(callback).toMatch(
      /^https:\/\/far\.example\.org\/\.gatewarden\/callback\?code=[\w-]{43}$/,
    )
    const answer = await visitor.step(callback)
    expect(answer.statusCode).toBe(302)
    expect(answer.headers).toMatchObject({
      location: PAGE,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    })
    expect(isLetIn(await visitor.open(PAGE))).toBe(true)
  })

  it('is stored as a hash, for 60 seconds', async () => {
    const test = await buildTestApp(CONFIG)
    const { visitor, callback } = await onTheWay(test)
    const keys = await storedKeys(test.storage, 'session-code:')
    expect(keys).toHaveLength(1)
    expect(keys[0]).not.toContain(new URL(callback).searchParams.get('code'))
    test.clock.advance(60)
    expectRefused(await visitor.step(callback))
    expect(await storedKeys(test.storage, 'session-code:')).toEqual([])
  })

  it('works once', async () => {
    const { visitor, callback } = await onTheWay(await buildTestApp(CONFIG))
    expect((await visitor.step(callback)).statusCode).toBe(302)
    expectRefused(await visitor.step(callback))
  })

  it('works once of twenty times at once', async () => {
    const { visitor, callback } = await onTheWay(await buildTestApp(CONFIG))
    const answers = await Promise.all(Array.from({ length: 20 }, () => visitor.step(callback)))
    expect(answers.filter(({ headers }) => headers.location === PAGE)).toHaveLength(1)
    expect(answers.filter(({ headers }) => headers.location === REFUSED)).toHaveLength(19)
  })

  it('T11: signs nobody in who did not begin', async () => {
    const test = await buildTestApp(CONFIG)
    const { callback } = await onTheWay(test)
    const victim = createVisitor(test)
    await victim.open('https://far.example.org/something')
    expectRefused(await victim.step(callback))
    expect(victim.jar.names()).not.toContain('__Host-gw_session')
  })

  it('is refused on another host, and is not used up there', async () => {
    const test = await buildTestApp(CONFIG)
    const { visitor, callback } = await onTheWay(test)
    const cookie = visitor.jar.header(new URL(PAGE)) ?? ''
    for (const host of ['other.example.net', 'auth.example.com']) {
      const answer = await visitor.step(callback.replace('far.example.org', host), { cookie })
      expect(answer.headers.location).toContain('https://auth.example.com/.gatewarden/refused')
      expect(answer.headers['set-cookie']).toBeUndefined()
    }
    expect((await visitor.step(callback)).headers.location).toBe(PAGE)
  })

  it('is refused once its grant is gone', async () => {
    const test = await buildTestApp(CONFIG)
    const { visitor, callback } = await onTheWay(test)
    const [grant = ''] = await storedKeys(test.storage, 'grant:')
    await test.storage.delete(grant)
    expectRefused(await visitor.step(callback))
  })

  it.each(['', '?code=', '?code=x', '?code=a&code=b', `?code=${'a'.repeat(5000)}`, '?code=%00'])(
    'that is none leads to a page: %s',
    async (query) => {
      const test = await buildTestApp(CONFIG)
      const visitor = createVisitor(test)
      const callback = `https://far.example.org/.gatewarden/callback${query}`
      expectRefused(await visitor.step(callback))
      const { answer, url } = await visitor.open(callback)
      expect(url.href).toBe(REFUSED)
      expect(answer.statusCode).toBe(400)
      expect(answer.headers['content-type']).toContain('text/html')
      // A stranger sent it: no fault of ours.
      expect(test.logs.filter(({ level }) => Number(level) > 30)).toEqual([])
      const event = expect.stringMatching(/^(?:sign-in-failed|request-refused)$/)
      expect(test.logs).toContainEqual(expect.objectContaining({ event }))
    },
  )

  it('is not used up by a request that only looks', async () => {
    const test = await buildTestApp(CONFIG)
    const { visitor, callback } = await onTheWay(test)
    const { pathname, search } = new URL(callback)
    const headers = {
      host: 'far.example.org',
      cookie: visitor.jar.header(new URL(PAGE)) ?? '',
    }
    for (const method of ['HEAD', 'POST'] as const) {
      const answer = await test.app.inject({ method, url: pathname + search, headers })
      expect(answer.statusCode).toBe(405)
    }
    expect((await visitor.step(callback)).headers.location).toBe(PAGE)
  })

  it('that was refused leaves a way to sign in again', async () => {
    const { visitor, callback } = await onTheWay(await buildTestApp(CONFIG))
    await visitor.step(callback)
    const refused = await visitor.open(callback)
    const login = await visitor.open(linkOf(refused, 'Sign in again'))
    expect(login.url.pathname).toBe('/authorize/login')
    expect((await visitor.signIn(login)).url.href).toBe('https://far.example.org/')
  })

  it('never stands in the log, nor does the token', async () => {
    const test = await buildTestApp(CONFIG)
    const { visitor, callback } = await onTheWay(test)
    await visitor.step(callback)
    await visitor.step(callback)
    const token = visitor.jar.header(new URL(PAGE))?.split('gw_session=')[1] ?? ''
    const logged = JSON.stringify(test.logs)
    expect(token.length).toBeGreaterThan(100)
    expect(logged).not.toContain(token)
    expect(logged).not.toContain(new URL(callback).searchParams.get('code'))
    expect(logged).not.toContain('/pages/1')
  })
})

describe('at3, T37: a code that was shown in the wrong place', () => {
  it('dies at its host in the wrong browser, and its grant with it', async () => {
    const test = await buildTestApp(CONFIG)
    const { visitor: attacker, callback } = await onTheWay(test)
    const victim = createVisitor(test)
    expectRefused(await victim.step(callback))
    expect(await storedKeys(test.storage, 'grant:')).toEqual([])
    expectRefused(await attacker.step(callback))
    expect(attacker.jar.names()).not.toContain('__Host-gw_session')
    expect(await storedKeys(test.storage, 'session:')).toEqual([])
  })

  it.each(['', 'x', 'n'.repeat(22)])('dies by a made-up nonce, too: %j', async (value) => {
    const test = await buildTestApp(CONFIG)
    const { visitor, callback } = await onTheWay(test)
    const name = visitor.jar.names().find((one) => one.includes('gw_nonce_'))
    expectRefused(await visitor.step(callback, { cookie: `${name}=${value}` }))
    expectRefused(await visitor.step(callback))
  })

  it('dies although another request with the right nonce comes at the same time', async () => {
    const test = await buildTestApp(CONFIG)
    const { visitor, callback } = await onTheWay(test)
    const answers = await Promise.all([
      createVisitor(test).step(callback),
      visitor.step(callback),
      visitor.step(callback),
    ])
    expect(answers.filter(({ headers }) => headers['set-cookie'] !== undefined)).toEqual([])
  })

  it('is never on a page of the application, whatever goes wrong on the way', async () => {
    const ways = [
      { why: 'the store is down', headers: {}, config: CONFIG, failing: 'get' },
      { why: 'the store goes down', headers: {}, config: CONFIG, failing: 'take' },
      { why: 'a script asks', headers: { 'sec-fetch-mode': 'cors' }, config: CONFIG },
      { why: 'a frame asks', headers: { 'sec-fetch-mode': 'no-cors' }, config: CONFIG },
      { why: 'too many requests came', headers: {}, config: { ...CONFIG, rateLimit: 4 } },
    ] as const
    for (const { why, headers, config, ...way } of ways) {
      const test = await buildTestApp(config)
      const { callback } = await onTheWay(test)
      if ('rateLimit' in config) await createVisitor(test).step(callback.replace('code=', 'x='))
      if ('failing' in way) {
        Object.assign(test.storage, {
          [way.failing]: async () => {
            throw new StorageUnavailable('down')
          },
        })
      }
      const answer = await createVisitor(test).step(callback, headers)
      expect(answer.statusCode, why).toBe(302)
      expectRefused(answer)
    }
  })

  it('leads to a page that says so and cannot be watched, with a way to sign in again', async () => {
    const { callback } = await onTheWay(await buildTestApp(CONFIG))
    const refused = await createVisitor(await buildTestApp(CONFIG)).open(callback)
    expect(refused.url.href).toBe(REFUSED)
    expect(refused.answer.body).toContain('You are not signed in here yet')
    expect(refused.answer.headers['cross-origin-opener-policy']).toBe('same-origin')
  })

  it.each(['https://evil.test/', 'javascript:alert(1)', '//evil.test', '', '&rd=x'])(
    'whose page leads nowhere else: %s',
    async (rd) => {
      const visitor = createVisitor(await buildTestApp(CONFIG))
      const answer = await visitor.step(
        `https://auth.example.com/.gatewarden/refused?rd=${encodeURIComponent(rd)}`,
      )
      expect(answer.statusCode).toBe(400)
      expect(answer.body).not.toMatch(/evil|javascript:|Sign in again/)
    },
  )

  it('has its page on the host of PUBLIC_URL alone', async () => {
    const { app } = await buildTestApp(CONFIG)
    const headers = { host: 'far.example.org' }
    const answer = await app.inject({ url: '/.gatewarden/refused', headers })
    expect(answer.statusCode).toBe(404)
  })
})

describe('the cookie of a host that begins a sign-in', () => {
  it('has exactly these attributes', async () => {
    const visitor = createVisitor(await buildTestApp(CONFIG))
    await visitor.open(PAGE)
    expect(visitor.lines.filter((line) => line.includes('gw_nonce_'))).toEqual([
      expect.stringMatching(
        /^far\.example\.org __Host-gw_nonce_[\w-]{8}=[\w-]{22}; Max-Age=1800; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      ),
    ])
  })

  it('is one for all sign-ins that begin after another', async () => {
    const visitor = createVisitor(await buildTestApp(CONFIG))
    for (let tab = 0; tab < 5; tab += 1) await visitor.open(`${PAGE}&tab=${tab}`)
    expect(visitor.jar.names().filter((name) => name.includes('gw_nonce_'))).toHaveLength(1)
  })
})
