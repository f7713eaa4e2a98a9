/**
 * Deep links: long ones, and those with characters that browsers send raw. Nothing loses the login, and as much of the
 * address as fits comes back.
 */
import { describe, expect, it } from 'vitest'
import { buildTestApp } from '../support/build-app.ts'
import { startHostileProvider } from '../support/hostile-provider.ts'
import { createVisitor, webApp } from '../support/visitor.ts'

const HOSTS = ['wiki.example.com', 'far.example.org']
const CONFIG = { cookieDomain: 'example.com', resources: HOSTS.map((host) => webApp(host)) }
/** Characters that no compression and no escape makes shorter or longer. */
const noise = (length: number) =>
  Buffer.from(Array.from({ length }, (_, i) => (i * 7919) % 251))
    .toString('base64url')
    .slice(0, length)

/** Opens a target as a browser sends it, signs in, and tells where the person is. */
async function comesBack(
  target: string,
  { host = 'far.example.org', elsewhere = false } = {},
): Promise<{ url: string; logs: string[] }> {
  const provider = elsewhere ? await startHostileProvider() : undefined
  const test = await buildTestApp({
    ...CONFIG,
    ...(provider && { provider: provider.config, users: [] }),
  })
  const visitor = createVisitor(test)
  const begun = await test.app.inject({
    url: '/auth/traefik',
    headers: {
      accept: 'text/html',
      'x-forwarded-method': 'GET',
      'x-forwarded-host': host,
      'x-forwarded-uri': target,
    },
  })
  expect(begun.statusCode).toBe(302)
  expect(String(begun.headers.location).length).toBeLessThan(8000)
  const login = await visitor.open(String(begun.headers.location))
  for (const line of login.way) expect(line.length).toBeLessThan(8000)
  const back = provider
    ? await visitor.open(await provider.signIn(login.url.href))
    : await visitor.signIn(login)
  return { url: back.url.href, logs: test.logs.map(({ msg }) => String(msg)) }
}

describe.each(HOSTS)('ed8: a deep link of %s', (host) => {
  it.each([
    ['a query of 2,100 characters', `/d?q=${'x'.repeat(2100)}`, undefined],
    ['a long query of noise', `/d?q=${noise(2500)}`, undefined],
    ['a backslash', '/g?e=a\\.b', '/g?e=a%5C.b'],
    ['a bar, a caret and braces', '/g?e={a|b}^`', '/g?e=%7Ba%7Cb%7D%5E%60'],
    ['quotes and angles', '/g?e="<a>"', '/g?e=%22%3Ca%3E%22'],
    ['a space', '/g?e=a b', '/g?e=a%20b'],
    ['raw UTF-8', `/g?e=${Buffer.from('ä😀').toString('latin1')}`, '/g?e=%C3%A4%F0%9F%98%80'],
    ['raw latin-1', '/g?e=\xe4', '/g?e=%E4'],
    ['a raw hash', '/g?e=a#b', '/g?e=a%23b'],
    ['escapes', '/g?e=%5C%7C%20%C3%A4%2F..%2f', undefined],
    ['brackets and a query in the query', '/g?e[]=1&f=?x=/..//y&rd=https://evil.test', undefined],
  ])('with %s comes back', async (_what, target, expected) => {
    const { url, logs } = await comesBack(target, { host })
    expect(url).toBe(`https://${host}${expected ?? target}`)
    expect(logs.join()).not.toContain('too long')
  })

  it.each([
    ['8 kB', `/deep/page?q=${'x'.repeat(8_000)}`, '/deep/page'],
    ['20 kB', `/deep/page?q=${'x'.repeat(20_000)}`, '/deep/page'],
    ['60 kB', `/deep/page?q=${'x'.repeat(50_000)}`, '/deep/page'],
    ['2,590 characters that all become escapes', `/d?${'&'.repeat(2590)}`, '/d'],
    ['1,000 emoji', `/d?${Buffer.from('😀').toString('latin1').repeat(1000)}`, '/d'],
    ['a path of 8 kB', `/${'x'.repeat(8_000)}`, '/'],
    ['a path and a query of 8 kB', `/${'x'.repeat(8_000)}?${'y'.repeat(8_000)}`, '/'],
  ])(
    'that is too long loses its query, then its path, never the login: %s',
    async (_how, target, expected) => {
      const { url, logs } = await comesBack(target, { host })
      expect(url).toBe(`https://${host}${expected}`)
      expect(logs.filter((line) => line.includes('too long to return to'))).toHaveLength(1)
    },
  )

  it('passes a provider that takes no longer state', async () => {
    const target = `/d?q=${noise(2550)}`
    const { url } = await comesBack(target, { host, elsewhere: true })
    expect(url).toBe(`https://${host}${target}`)
  })
})

it.each([
  ['https://far.example.org/a b', '/a'],
  ['https://far.example.org/?e=a\\b', '/?e=a%5Cb'],
  ['https://far.example.org/?e=ä', '/?e=%C3%A4'],
  [`https://far.example.org/x?e=${'y'.repeat(5000)}`, '/x'],
])('ed8: an address that another proxy names is read alike: %.50s', async (rd, expected) => {
  const visitor = createVisitor(await buildTestApp(CONFIG))
  const login = `https://auth.example.com/.gatewarden/login?rd=${encodeURIComponent(rd)}`
  const begun = await visitor.open(login)
  if (expected === '/a') expect(begun.answer.statusCode).toBe(400)
  else expect((await visitor.signIn(begun)).url.href).toBe(`https://far.example.org${expected}`)
})
