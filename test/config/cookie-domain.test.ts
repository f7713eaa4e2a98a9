import { describe, expect, it } from 'vitest'
import { load, problemsOf } from './harness.ts'

const problems = (domain: string, publicUrl = 'https://auth.example.com') =>
  problemsOf(() =>
    load({ env: { COOKIE_DOMAIN: domain, PUBLIC_URL: publicUrl, DEV_MODE: 'true' } }),
  )

describe('COOKIE_DOMAIN', () => {
  it.each([
    ['example.com', 'https://auth.example.com', 'example.com'],
    ['.Example.COM', 'https://auth.example.com', 'example.com'],
    ['auth.example.com', 'https://auth.example.com', 'auth.example.com'],
    ['example.com', 'https://a.b.example.com:8443', 'example.com'],
    ['b\u00fccher.example', 'https://auth.b\u00fccher.example', 'xn--bcher-kva.example'],
    ['XN--BCHER-KVA.example', 'https://auth.b\u00fccher.example', 'xn--bcher-kva.example'],
    ['localhost', 'http://localhost:8080', 'localhost'],
    ['10.0.0.5', 'http://10.0.0.5:9000', '10.0.0.5'],
    ['[::1]', 'http://[::1]:9000', '[::1]'],
  ])('%s is accepted with PUBLIC_URL %s', (domain, publicUrl, expected) => {
    const env = { COOKIE_DOMAIN: domain, PUBLIC_URL: publicUrl, DEV_MODE: 'true' }
    expect(load({ env }).config.cookieDomain).toBe(expected)
  })

  it.each([
    'https://example.com',
    'example.com:443',
    'example.com/',
    '*.example.com',
    'a..example.com',
    '..example.com',
    'example.com.',
    'a b',
    'ex\u00e4mple.com:443',
    '-example.com',
  ])('%s is not a domain', (domain) => {
    expect(problems(domain)).toEqual([
      expect.stringMatching(/^COOKIE_DOMAIN: .* is not a domain\. Write the host alone/),
    ])
  })

  it.each([
    ['example.org', 'https://auth.example.com', 'auth.example.com', 'example.com'],
    ['ample.com', 'https://auth.example.com', 'auth.example.com', 'example.com'],
    ['login.example.com', 'https://auth.example.com', 'auth.example.com', 'example.com'],
    ['x.auth.example.com', 'https://auth.example.com', 'auth.example.com', 'example.com'],
    ['example.com', 'http://localhost:8080', 'localhost', 'localhost'],
    ['0.0.5', 'http://10.0.0.5:9000', '10.0.0.5', '10.0.0.5'],
  ])(
    '%s does not cover PUBLIC_URL %s, and the problem says how to fix it',
    (domain, url, host, fix) => {
      expect(problems(domain, url)).toEqual([
        `COOKIE_DOMAIN: ${domain} does not cover ${host}, the host of PUBLIC_URL, which sets the cookie. Write ${fix}, or move PUBLIC_URL under ${domain}.`,
      ])
    },
  )

  it('com is refused: browsers accept no cookie for a top-level domain', () => {
    expect(problems('com')).toEqual([
      'COOKIE_DOMAIN: com is a top-level domain, for which browsers accept no cookie. Write example.com.',
    ])
    expect(problems('com', 'https://example.com')).toEqual([
      'COOKIE_DOMAIN: com is a top-level domain, for which browsers accept no cookie. Write example.com.',
    ])
  })

  it('is absent unless set: each host has a session of its own', () => {
    expect(load().config.cookieDomain).toBeUndefined()
  })
})

it.each([
  ['SESSION_LIFETIME', '31d'],
  ['SESSION_LIFETIME', '0s'],
  ['SESSION_IDLE', '0'],
])('keeps %s within bounds: %s', (name, value) => {
  expect(problemsOf(() => load({ env: { [name]: value } }))).toEqual([
    `${name}: is out of bounds. Write a duration from 1s to 30d.`,
  ])
})
