/**
 * Several sign-ins at once in one browser, and sign-ins that wander into another one.
 */
import { describe, expect, it } from 'vitest'
import { buildTestApp } from '../support/build-app.ts'
import { startHostileProvider } from '../support/hostile-provider.ts'
import { storedKeys } from '../support/stored.ts'
import { createVisitor, isLetIn, linkOf, type Visit, webApp } from '../support/visitor.ts'

const HOSTS = [
  { where: 'the cookie domain', host: 'wiki.example.com' },
  { where: 'a host of its own', host: 'far.example.org' },
]
const CONFIG = {
  cookieDomain: 'example.com',
  resources: HOSTS.map(({ host }) => webApp(host)),
}

describe.each(HOSTS)('two tabs at $where', ({ host }) => {
  const page = (tab: number) => `https://${host}/?tab=${tab}`

  it('that a browser restores both finish, in any order', async () => {
    const visitor = createVisitor(await buildTestApp(CONFIG))
    const [first, second] = (await Promise.all([1, 2].map((tab) => visitor.open(page(tab))))) as [
      Visit,
      Visit,
    ]
    expect((await visitor.signIn(second)).url.href).toBe(page(2))
    const back = await visitor.signIn(first)
    expect(back.url.href).toBe(page(1))
    expect(isLetIn(back)).toBe(true)
  })

  it('both finish at a provider elsewhere, in any order', async () => {
    const provider = await startHostileProvider()
    const visitor = createVisitor(
      await buildTestApp({ provider: provider.config, users: [], ...CONFIG }),
    )
    const [first, second] = await Promise.all([1, 2].map((tab) => visitor.open(page(tab))))
    const callbacks = [second, first].map((tab) => provider.signIn(tab?.url.href ?? ''))
    for (const [index, callback] of callbacks.entries()) {
      const back = await visitor.open(await callback)
      expect(back.url.href).toBe(page(2 - index))
    }
  })

  it('where one was signed in meanwhile need only be opened again', async () => {
    const visitor = createVisitor(await buildTestApp(CONFIG))
    await visitor.open(page(1))
    await visitor.signIn(await visitor.open(page(2)))
    expect(isLetIn(await visitor.open(page(1)))).toBe(true)
  })
})

describe.each(HOSTS)('a sign-in at $where', ({ host }) => {
  const page = `https://${host}/`

  it('T2: that is finished in another browser signs nobody in', async () => {
    const provider = await startHostileProvider()
    const test = await buildTestApp({ provider: provider.config, users: [], ...CONFIG })
    const attacker = createVisitor(test)
    const callback = await provider.signIn((await attacker.open(page)).url.href)
    const victim = createVisitor(test)
    await victim.open(page)
    const answer = await victim.open(callback)
    expect(answer.answer.statusCode).toBe(400)
    expect(victim.jar.names().join()).not.toMatch(/CF_Authorization|gw_session/)
    expect(provider.redeemed).toEqual([])
    expect(await storedKeys(test.storage, 'grant:')).toEqual([])
    const fresh = await victim.open(linkOf(answer, 'Start again'))
    expect(fresh.url.origin).toBe(provider.issuer)
  })

  it('T2: that an attacker began hands nothing to the attacker', async () => {
    const test = await buildTestApp(CONFIG)
    const attacker = createVisitor(test)
    const login = await attacker.open(page)
    const victim = createVisitor(test)
    const typed = await victim.signIn(login)
    expect(typed.answer.statusCode).toBe(400)
    expect(await storedKeys(test.storage, 'grant:')).toEqual([])
  })

  it('T12: is not finished by the form of another site', async () => {
    const test = await buildTestApp(CONFIG)
    const visitor = createVisitor(test)
    const login = await visitor.open(page)
    const interaction = login.url.searchParams.get('interaction') ?? ''
    const forged = await visitor.post(
      login,
      '/login',
      { interaction, username: 'ann', password: 'correct horse' },
      { 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' },
    )
    expect(forged.answer.statusCode).toBe(403)
    expect(await storedKeys(test.storage, 'grant:')).toEqual([])
  })

  it('answers a form that is sent twice with the same session', async () => {
    const test = await buildTestApp(CONFIG)
    const visitor = createVisitor(test)
    const login = await visitor.open(page)
    const answers = await Promise.all([visitor.signIn(login), visitor.signIn(login)])
    expect(answers.some(isLetIn)).toBe(true)
    expect(await storedKeys(test.storage, 'grant:')).toHaveLength(1)
  })

  it('is never taken for one that a client asked for, nor approved on its page', async () => {
    const test = await buildTestApp(CONFIG)
    const visitor = createVisitor(test)
    const login = await visitor.open(page)
    const interaction = login.url.searchParams.get('interaction') ?? ''
    for (const decision of ['approve', 'deny', 'restart']) {
      const { answer } = await visitor.post(login, '/consent', { interaction, decision })
      expect(answer.statusCode).toBe(400)
      expect(answer.body).toContain('Start again')
    }
  })

  it('ends with a page that can be tried again while the provider is down', async () => {
    const provider = await startHostileProvider()
    const test = await buildTestApp({ provider: provider.config, users: [], ...CONFIG })
    const visitor = createVisitor(test)
    await provider.stop()
    const down = await visitor.open(page)
    expect(down.answer.statusCode).toBe(503)
    expect(down.answer.headers['retry-after']).toMatch(/^\d+$/)
    expect(down.answer.body).not.toContain('Back to')
    await provider.start()
    test.clock.advance(60)
    const away = await visitor.open(linkOf(down, 'Try again'))
    expect(away.url.origin).toBe(provider.issuer)
    const back = await visitor.open(await provider.signIn(away.url.href))
    expect(back.url.href).toBe(page)
  })
})
