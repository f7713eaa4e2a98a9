/** fp1: the values of `BRAND_` and `brand:`. */
import { describe, expect, it } from 'vitest'
import { load, problemsOf } from './harness.ts'

const PNG = 'data:image/png;base64,iVBORw0KGgo='

it('takes all of them from `brand` in the file, and a path as an address of our own host', () => {
  const { config } = load({
    yaml: `brand: { name: Example Inc., logo: /logo.png, color: "#06C", support: help@example.com, login_help: Call 1234. }`,
  })
  expect(config.brand).toEqual({
    name: 'Example Inc.',
    logo: 'https://auth.example.com/logo.png',
    color: '#0066cc',
    support: 'mailto:help@example.com',
    loginHelp: 'Call 1234.',
  })
})

it('takes an image in base64, and an address for help', () => {
  const { config } = load({
    env: { BRAND_NAME: 'E', BRAND_LOGO: PNG, BRAND_SUPPORT: 'https://help.example.com/it' },
  })
  expect(config.brand).toEqual({ name: 'E', logo: PNG, support: 'https://help.example.com/it' })
})

it('has none unless it is set', () => {
  expect(load().config.brand).toEqual({})
})

describe('refuses', () => {
  it.each<[string, Record<string, string>, RegExp]>([
    ['a name of two lines', { BRAND_NAME: 'a\nb' }, /^BRAND_NAME: must be one line/],
    ['a name that turns the line around', { BRAND_NAME: 'a\u202eb' }, /^BRAND_NAME: .*invisible/],
    ['a name without end', { BRAND_NAME: 'x'.repeat(65) }, /^BRAND_NAME: must be one line/],
    ['a logo elsewhere', { BRAND_LOGO: 'https://cdn.example.net/l.png' }, /^BRAND_LOGO: .*neither/],
    ['a logo of another host', { BRAND_LOGO: '//cdn.example.net/l.png' }, /^BRAND_LOGO: .*neither/],
    ['a logo with a query', { BRAND_LOGO: '/l.png?x' }, /^BRAND_LOGO: .*neither/],
    ['a page as a logo', { BRAND_LOGO: 'data:text/html;base64,PGI+' }, /^BRAND_LOGO: .*neither/],
    ['raw markup', { BRAND_LOGO: 'data:image/svg+xml,<svg onload=x>' }, /^BRAND_LOGO: .*neither/],
    ['a logo that ends its policy', { BRAND_LOGO: "/l.png; script-src 'x'" }, /^BRAND_LOGO: /],
    ['a huge logo', { BRAND_LOGO: PNG + 'A'.repeat(40_000) }, /^BRAND_LOGO: is longer than 32 KiB/],
    ['a colour by name', { BRAND_COLOR: 'red' }, /^BRAND_COLOR: .*is not a colour/],
    ['a colour with more', { BRAND_COLOR: '#fff; }' }, /^BRAND_COLOR: .*is not a colour/],
    ['help by http', { BRAND_SUPPORT: 'http://help.example.com' }, /^BRAND_SUPPORT: .*neither/],
    ['help by a script', { BRAND_SUPPORT: 'javascript:alert(1)' }, /^BRAND_SUPPORT: .*neither/],
    ['an address with a header', { BRAND_SUPPORT: 'a@b.test?cc=c@d.test' }, /^BRAND_SUPPORT: /],
    ['a text of two lines', { BRAND_LOGIN_HELP: 'a\nb' }, /^BRAND_LOGIN_HELP: must be one line/],
  ])('%s', (_what, env, problem) => {
    const problems = problemsOf(() => load({ env: { BRAND_NAME: 'E', ...env } }))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(problem)
  })

  it('a logo without a name, which people who cannot see it would miss', () => {
    const problems = problemsOf(() => load({ env: { BRAND_LOGO: PNG } }))
    expect(problems).toEqual([expect.stringMatching(/^BRAND_LOGO: needs BRAND_NAME/)])
  })

  it('other names below brand', () => {
    const problems = problemsOf(() => load({ yaml: 'brand: { colour: "#fff" }' }))
    expect(problems).toEqual([expect.stringMatching(/^brand\.colour: .*color/)])
  })
})
