/**
 * The part of an address behind `#` survives a sign-in (case ed9), and leads nowhere else.
 */
import { describe, expect, it } from 'vitest'
import { ANYONE, buildTestApp } from '../support/build-app.ts'
import { startHostileProvider } from '../support/hostile-provider.ts'
import { openTab, type Tab } from '../support/scripted-tab.ts'
import { createVisitor, linkOf, type Visit, webApp } from '../support/visitor.ts'

const HASH = '#/view/CI01?x="y"&z=<b>'
/** As a browser writes it. */
const WRITTEN = new URL(`https://x.test/${HASH}`).hash
const HOSTS = [
  { where: 'under the cookie domain', page: 'https://wiki.example.com/dash?a=1' },
  { where: 'with a cookie of its own', page: 'https://far.example.org/dash?a=1' },
]
const onlyAnn = { allow: { ...ANYONE, anyone: false, emails: ['ann@example.com'] } }
const CONFIG = {
  cookieDomain: 'example.com',
  resources: [webApp('wiki.example.com', onlyAnn), webApp('far.example.org', onlyAnn)],
}
const OURS = /^(?:auth|wiki)\.example\.com$|^far\.example\.org$/

async function startBuiltin() {
  const test = await buildTestApp(CONFIG)
  const visitor = createVisitor(test)
  return { test, visitor, tab: openTab(visitor, ({ host }) => OURS.test(host)) }
}

async function startElsewhere() {
  const provider = await startHostileProvider()
  const test = await buildTestApp({ ...CONFIG, provider: provider.config, users: [] })
  const visitor = createVisitor(test)
  const newTab = () => openTab(visitor, ({ host }) => OURS.test(host))
  /** Signs in on the provider's page that the tab shows. */
  const comeBack = async (tab: Tab) => tab.open(await provider.signIn(tab.url.href))
  return { test, visitor, provider, newTab, tab: newTab(), comeBack }
}

const visitOf = ({ url, answer }: Tab): Visit => ({ url, answer, way: [] })

describe.each(HOSTS)('ed9: the part behind # of a page $where', ({ page }) => {
  it('is there again after the built-in login', async () => {
    const { tab } = await startBuiltin()
    await tab.open(page + HASH)
    expect(tab.url.pathname).toBe('/authorize/login')
    await tab.signIn()
    expect(tab.url.href).toBe(page + WRITTEN)
    expect(tab.answer.headers['x-forwarded-user']).toBe('ann@example.com')
  })

  it('is there again after a wrong password, and after half an hour', async () => {
    const { tab, test } = await startBuiltin()
    await tab.open(page + HASH)
    await tab.signIn({ password: 'mistyped' })
    expect(tab.answer.statusCode).toBe(401)
    test.clock.advance(30 * 60)
    await tab.signIn()
    expect(tab.answer.statusCode).toBe(400)
    await tab.press('Start again')
    await tab.signIn()
    expect(tab.url.href).toBe(page + WRITTEN)
  })

  it('is there again after signing in as somebody else', async () => {
    const { tab } = await startBuiltin()
    await tab.open(page + HASH)
    await tab.signIn({ name: 'bob' })
    expect(tab.answer.statusCode).toBe(403)
    await tab.press('Sign in as someone else')
    await tab.signIn()
    expect(tab.url.href).toBe(page + WRITTEN)
  })

  it('is there again after a provider elsewhere, which does not see it', async () => {
    const { tab, comeBack, provider } = await startElsewhere()
    await tab.open(page + HASH)
    expect(tab.url.origin).toBe(provider.issuer)
    expect(tab.url.hash).toBe('')
    await comeBack(tab)
    expect(tab.url.href).toBe(page + WRITTEN)
    expect(tab.answer.headers['x-forwarded-user']).toBe('ann@example.com')
  })

  it('is there again when the way over the provider starts again', async () => {
    const { tab, comeBack, test } = await startElsewhere()
    await tab.open(page + HASH)
    test.clock.advance(30 * 60)
    await comeBack(tab)
    expect(tab.answer.statusCode).toBe(400)
    await tab.press('Start again')
    await comeBack(tab)
    expect(tab.url.href).toBe(page + WRITTEN)
  })

  it('belongs to its tab, and to one sign-in in it', async () => {
    const { newTab, comeBack } = await startElsewhere()
    const [first, second, plain] = [newTab(), newTab(), newTab()]
    await first.open(`${page}#one`)
    await second.open(`${page}#two`)
    await plain.open(page)
    for (const tab of [plain, second, first]) await comeBack(tab)
    expect(first.url.href).toBe(`${page}#one`)
    expect(second.url.href).toBe(`${page}#two`)
    expect(plain.url.href).toBe(page)
  })

  it('is lost without scripts, and the sign-in goes on', async () => {
    const { visitor, provider } = await startElsewhere()
    const away = await visitor.open(page)
    expect(away.url.origin).toBe(provider.issuer)
    const back = await visitor.open(await provider.signIn(away.url.href))
    expect(back.url.href).toBe(page)
  })

  it('never reaches the server or its log', async () => {
    const { tab, comeBack, test } = await startElsewhere()
    await tab.open(`${page}#secret-part`)
    await comeBack(tab)
    expect(
      tab.way.filter((address) => /\?.*secret-part/.test(address.split('#')[0] ?? '')),
    ).toEqual([])
    expect(JSON.stringify(test.logs)).not.toContain('secret-part')
  })
})

describe('T15, ed9: a fragment', () => {
  const login = (rd: string, more: string) =>
    `https://auth.example.com/.gatewarden/login?rd=${encodeURIComponent(rd)}${more}`

  it.each(['https://evil.test/', '"><script>', 'none', 'k'.repeat(21), `${'k'.repeat(22)}&x`])(
    'that is called %j is not kept, and its name goes nowhere',
    async (name) => {
      const { visitor } = await startElsewhere()
      const page = 'https://wiki.example.com/dash'
      const answer = await visitor.step(login(page, `&fragment=${encodeURIComponent(name)}`))
      expect(answer.statusCode).toBe(302)
      expect(String(answer.headers.location)).not.toMatch(/evil|script/)
    },
  )

  it('that another script stored is only put behind the address that we verified', async () => {
    const { tab, visitor, provider } = await startElsewhere()
    const page = 'https://wiki.example.com/dash'
    for (const kept of ['.evil.test/', '@evil.test/', '//evil.test', 'javascript:alert(1)', '']) {
      const key = 'k'.repeat(22)
      const away = await visitor.open(login(page, `&prompt=login&fragment=${key}`))
      tab.store.set(`gw_fragment_${key}`, kept)
      await tab.open(await provider.signIn(away.url.href))
      expect(tab.url.href).toBe(page)
    }
  })

  it('is not added to the link that asks for access, or to one of a provider', async () => {
    const { tab, comeBack, provider } = await startElsewhere()
    provider.person = { ...provider.person, sub: 'bob', email: 'bob@example.com' }
    await tab.open(`https://wiki.example.com/dash${HASH}`)
    await comeBack(tab)
    expect(tab.answer.statusCode).toBe(403)
    expect(tab.answer.body).not.toContain('data-fragment')
    expect(linkOf(visitOf(tab), 'Sign in as someone else')).toContain(provider.issuer)
  })
})
