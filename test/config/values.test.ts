import { describe, expect, it } from 'vitest'
import { load, problemsOf } from './harness.ts'

describe('durations', () => {
  it.each([
    ['90s', 90],
    ['15m', 900],
    ['1h', 3600],
    ['1d', 86_400],
    ['3600', 3600],
    ['1h30m', 5400],
    ['1h0m0s', 3600],
    ['1.5h', 5400],
    ['1.1h', 3960],
    ['90000ms', 90],
  ])('reads %s as %d seconds', (text, seconds) => {
    expect(load({ env: { ACCESS_TOKEN_LIFETIME: text } }).config.lifetimes.accessToken).toBe(
      seconds,
    )
  })

  it('reads weeks, and a plain number in the file', () => {
    const { lifetimes } = load({ env: { GRANT_LIFETIME: '2w' }, yaml: 'grant_idle: 600\n' }).config
    expect(lifetimes).toMatchObject({ grant: 1_209_600, grantIdle: 600 })
  })

  it('has the documented defaults', () => {
    expect(load().config.lifetimes).toEqual({
      accessToken: 3600,
      grant: 30 * 86_400,
      grantIdle: 14 * 86_400,
      refreshGrace: 60,
      session: 86_400,
      sessionIdle: 28_800,
    })
  })

  it.each(['1.5', '-1', '-1h', '1y', 'soon', '1h30', '1h 30m', 'h', '1.h'])(
    'refuses %s',
    (text) => {
      expect(problemsOf(() => load({ env: { REFRESH_GRACE: text } }))).toEqual([
        'REFRESH_GRACE: is not a duration. Write it like 90s, 15m, 1h, 30d or 2w.',
      ])
    },
  )

  it.each(['1.5s', '500ms', '1m0.2s'])(
    'refuses %s, which is no whole number of seconds',
    (text) => {
      expect(problemsOf(() => load({ env: { REFRESH_GRACE: text } }))).toEqual([
        'REFRESH_GRACE: is no whole number of seconds. Write it like 90s, 15m or 1h30m.',
      ])
    },
  )

  it.each([
    ['ACCESS_TOKEN_LIFETIME', '0'],
    ['ACCESS_TOKEN_LIFETIME', '25h'],
    ['REFRESH_GRACE', '2h'],
    ['GRANT_LIFETIME', '4000d'],
  ])('keeps %s within bounds', (name, value) => {
    expect(problemsOf(() => load({ env: { [name]: value } }))).toEqual([
      expect.stringMatching(new RegExp(`^${name}: is out of bounds\\. Write a duration from`)),
    ])
  })
})

describe('PORT and HOST', () => {
  it.each(['70000', '-1', '80a', '1e3'])('refuses port %s', (port) => {
    expect(problemsOf(() => load({ env: { PORT: port } }))).toEqual([
      `PORT: "${port}" is not a port. Write a number from 0 to 65535.`,
    ])
  })

  it('takes IPv6 addresses with and without brackets', () => {
    expect(load({ env: { HOST: '[::1]' } }).config.listen.host).toBe('::1')
    expect(load({ env: { HOST: '::' } }).config.listen.host).toBe('::')
  })

  it('refuses an invalid host', () => {
    expect(problemsOf(() => load({ env: { HOST: 'http://x' } }))).toEqual([
      expect.stringMatching(/^HOST: "http:\/\/x" is not an address to listen on\./),
    ])
  })
})

describe('TRUSTED_PROXIES', () => {
  it('is loopback unless set', () => {
    expect(load().config.trustedProxies).toEqual(['127.0.0.0/8', '::1'])
  })

  it.each(['10.0.0.0/33', '10.0.0', 'proxy', '::1/129', 'fe80::1%eth0', '10.0.0.0/8/8'])(
    'refuses %s',
    (network) => {
      expect(problemsOf(() => load({ env: { TRUSTED_PROXIES: network } }))).toEqual([
        `TRUSTED_PROXIES: "${network}" is neither an address nor a CIDR. Write it like 172.18.0.5 or 172.18.0.0/16.`,
      ])
    },
  )

  it('warns when everyone is trusted', () => {
    expect(load({ env: { TRUSTED_PROXIES: '0.0.0.0/0' } }).warnings).toEqual([
      'TRUSTED_PROXIES: 0.0.0.0/0 lets everyone forge forwarded headers.',
    ])
  })
})

describe('LOG_LEVEL', () => {
  it.each([
    ['0', 'debug'],
    ['1', 'info'],
    ['2', 'warn'],
    ['7', 'warn'],
    ['ERROR', 'error'],
    ['warning', 'warn'],
    ['Trace', 'trace'],
    ['panic', 'fatal'],
    ['CRITICAL', 'fatal'],
    ['dpanic', 'fatal'],
    ['NOTSET', 'trace'],
    ['silent', 'silent'],
    ['20', 'debug'],
    ['60', 'fatal'],
  ])('reads %s as %s', (given, level) => {
    expect(load({ env: { LOG_LEVEL: given } }).config.logLevel).toBe(level)
  })

  it('takes a number in the file and refuses other words', () => {
    expect(load({ yaml: 'log_level: 0\n' }).config.logLevel).toBe('debug')
    expect(load({ yaml: 'log_level: 40\n' }).config.logLevel).toBe('warn')
    expect(problemsOf(() => load({ env: { LOG_LEVEL: 'loud' } }))).toHaveLength(1)
    expect(problemsOf(() => load({ env: { LOG_LEVEL: '35' } }))).toHaveLength(1)
    expect(problemsOf(() => load({ env: { LOG_LEVEL: 'constructor' } }))).toHaveLength(1)
  })
})

describe('LOG_FORMAT', () => {
  it('is json or text, and unset the terminal decides', () => {
    expect(load({ env: { LOG_FORMAT: 'TEXT' } }).config.logFormat).toBe('text')
    expect(load({ yaml: 'log_format: json\n' }).config.logFormat).toBe('json')
    expect(load({}).config.logFormat).toBeUndefined()
    expect(problemsOf(() => load({ env: { LOG_FORMAT: 'logfmt' } }))).toEqual([
      'LOG_FORMAT: "logfmt" is no format of the log. Write json or text.',
    ])
  })
})

describe('ALLOWED_ORIGINS', () => {
  const origins = (value: string) => load({ env: { ALLOWED_ORIGINS: value } }).config.allowedOrigins

  it('is loopback unless set', () => {
    expect(load().config.allowedOrigins).toEqual(['loopback'])
  })

  it('takes canonical origins of web pages and of programs, or any', () => {
    expect(origins('https://App.example.com:443/, vscode-webview://AbC')).toEqual([
      'https://app.example.com',
      'vscode-webview://abc',
    ])
    expect(origins('https://a.example,*')).toBe('*')
  })

  it('takes loopback beside other origins', () => {
    expect(origins('loopback,https://a.example')).toEqual(['loopback', 'https://a.example'])
  })

  it.each(['null', 'https://a.example/path', 'app.example.com'])('refuses %s', (value) => {
    expect(problemsOf(() => load({ env: { ALLOWED_ORIGINS: value } }))).toEqual([
      expect.stringMatching(/^ALLOWED_ORIGINS: /),
    ])
  })
})

describe('PROVIDER', () => {
  it('refuses a provider that is not supported', () => {
    expect(problemsOf(() => load({ env: { PROVIDER: 'saml' } }))).toEqual([
      'PROVIDER: "saml" is not a supported provider. Write builtin, keycloak, google, github, entra, auth0, okta, gitlab, authentik, authelia, zitadel, pocket-id, or oidc for any other OpenID Connect provider.',
    ])
  })

  it("reads internal, mcpauth's name, as builtin", () => {
    expect(load({ env: { PROVIDER: 'internal' } }).config.provider).toEqual({ type: 'builtin' })
  })
})
