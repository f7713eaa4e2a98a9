/**
 * Under `PROD_MODE` no accepted value means everybody or nothing, and no variable is ignored without a word (cases at15,
 * ed13 and ed20, threat T49).
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import { settings } from '../../src/config/schema.ts'
import { compileTrustedProxies } from '../../src/http/trusted-proxies.ts'
import { type Given, load, loadYaml, problemsOf } from './harness.ts'

const LIVE = { PROD_MODE: 'true' }
const problems = (env: NonNullable<Given['env']>, files = {}) =>
  problemsOf(() => load({ env, files }))
const GOOGLE = { PROVIDER: 'google', CLIENT_ID: 'x', CLIENT_SECRET: 'nU0o7QpY1xJ4rTz8vKcW3mBd' }

describe('at15: T49: PROD_MODE', () => {
  it.each([
    '::ffff:0:0/96',
    '::ffff:0.0.0.0/96',
    '::ffff:8.0.0.0/103',
    '64:ff9b::/96',
    '::/8',
    '::/32',
    '::ffff:0:0/90',
    '2000::/8',
    '2001::/31',
    '2001:db8::/31',
    '0.0.0.0/0',
    '8.0.0.0/7',
    'fc00::/6',
  ])('refuses TRUSTED_PROXIES=%s', (network) => {
    expect(problems({ ...LIVE, TRUSTED_PROXIES: network })).toEqual([
      `TRUSTED_PROXIES: ${network} lets strangers forge forwarded headers, which PROD_MODE refuses. List your proxy alone.`,
    ])
  })

  it.each(['::ffff:10.0.0.0/104', '::ffff:172.18.0.5', '2001:db8::/32', 'fd00::/8', '10.0.0.0/8'])(
    'accepts TRUSTED_PROXIES=%s',
    (network) => {
      expect(problems({ ...LIVE, TRUSTED_PROXIES: network })).toEqual([])
    },
  )

  it('accepts no network that trusts a 256th of IPv4, in whatever form', () => {
    const strangers = Array.from({ length: 256 }, (_, first) => `${first}.8.8.8`)
    for (let prefix = 0; prefix <= 128; prefix += 1) {
      for (const base of ['::', '::ffff:8.8.8.8', '64:ff9b::808:808', '2001:db8::1', '8.8.8.8']) {
        if (prefix > 32 && !base.includes(':')) continue
        const network = `${base}/${prefix}`
        if (problems({ ...LIVE, TRUSTED_PROXIES: network }).length > 0) continue
        const isTrusted = compileTrustedProxies([network])
        expect([network, strangers.filter((peer) => isTrusted(peer)).length <= 1]).toEqual([
          network,
          true,
        ])
      }
    }
  })

  it('refuses a wildcard on a public suffix; without PROD_MODE it is a warning', () => {
    const text = 'https://*.co.uk covers the hosts of strangers, because co.uk is a public suffix'
    const fix = 'Name your own domain, like https://*.example.co.uk.'
    expect(load({ env: { RESOURCES: 'https://*.co.uk' } }).warnings).toContain(
      `RESOURCES: ${text}. ${fix}`,
    )
    expect(problems({ ...LIVE, RESOURCES: 'https://*.co.uk' })).toEqual([
      `RESOURCES: ${text}, which PROD_MODE refuses. ${fix}`,
    ])
    const yaml = 'allow: { domains: [a.b] }\nresources: { all: { url: "https://*.com.au:8443" } }\n'
    expect(problemsOf(() => loadYaml(yaml, { env: LIVE }))).toEqual([
      expect.stringMatching(/^resources\.all\.url: .* com\.au is a public suffix, which PROD_MODE/),
    ])
  })

  it('refuses a rate limit that limits nobody', () => {
    expect(problems({ ...LIVE, RATE_LIMIT: '9999999' })).toEqual([
      'RATE_LIMIT: 9999999 means no limit, which PROD_MODE refuses. Remove it to use the default.',
    ])
  })
})

describe('at15: T49: the emptiest value', () => {
  it('of IDENTITY_HEADERS is a problem: a client could write the headers itself', () => {
    const problem =
      'IDENTITY_HEADERS: lists no header, so a server could not tell who calls, and a client could write such headers itself. List at least one, or remove the setting.'
    expect(problems({ IDENTITY_HEADERS: ',' })).toEqual([problem])
    expect(problemsOf(() => load({ yaml: 'identity_headers: {}\n' }))).toEqual([problem])
  })

  it('of GOOGLE_HOSTED_DOMAIN is a problem: it would let in any Google account', () => {
    const files = { '/srv/gatewarden.yaml': '' }
    expect(problems({ ...GOOGLE, GOOGLE_HOSTED_DOMAIN: ',' }, files)).toEqual([
      'GOOGLE_HOSTED_DOMAIN: lists no domain. Add one; without the setting, any Google account can sign in.',
    ])
  })

  it('of a list never lets in more than the setting left out', () => {
    const lists = settings.filter(({ kind }) => kind === 'list').map(({ name }) => name)
    expect(lists.length).toBeGreaterThan(10)
    const open = load().config
    for (const name of lists) {
      const files = name === 'GOOGLE_HOSTED_DOMAIN' ? { '/srv/gatewarden.yaml': '' } : {}
      const env = { ...(name === 'GOOGLE_HOSTED_DOMAIN' && GOOGLE), [name]: ' , ' }
      if (problems(env, files).length > 0) continue
      const { config } = load({ env, files })
      expect([name, config.resources[0]?.allow]).toEqual([name, open.resources[0]?.allow])
      expect(config.trustedProxies.length).toBeLessThanOrEqual(open.trustedProxies.length)
      expect(config.allowedOrigins.length).toBeLessThanOrEqual(open.allowedOrigins.length)
      expect(['open', 'off']).toContain(config.registration)
    }
  })
})

describe('at15: T49: a variable that looks like a setting', () => {
  it.each([
    ['GATEWARDEN_CLIENT_REGISTRATION', 'CLIENT_REGISTRATION'],
    ['GW_PROD_MODE', 'PROD_MODE'],
    ['gw_prod_mode', 'PROD_MODE'],
    ['GATEWARDEN_ALLOWED_DOMAIN', 'ALLOWED_DOMAINS'],
    ['GW_SECRET_FILE', 'SECRET_FILE'],
    ['GATEWARDEN_PORT', 'PORT'],
  ])('by its prefix is a problem that names the right one: %s', (name, meant) => {
    expect(problems({ [name]: 'off' })).toEqual([
      `${name}: is not a setting: names of settings have no prefix. Write ${meant}.`,
    ])
  })

  it('by its prefix alone is a problem, too', () => {
    expect(problems({ GATEWARDEN_CONFIG: 'x.yaml' })).toEqual([
      'GATEWARDEN_CONFIG: is not a setting: names of settings have no prefix. Write --config FILE.',
    ])
    expect(problems({ GW_WHATEVER_ELSE: '1' })).toEqual([
      'GW_WHATEVER_ELSE: is not a setting. Remove or rename it; docs/configuration.md lists all settings.',
    ])
  })

  it.each([
    ['REGISTRATION', 'CLIENT_REGISTRATION'],
    ['HOSTED_DOMAIN', 'GOOGLE_HOSTED_DOMAIN'],
    ['PROXIES', 'TRUSTED_PROXIES'],
    ['ORIGINS', 'ALLOWED_ORIGINS'],
  ])('by the end of its name is a problem: %s', (name, meant) => {
    expect(problems({ [name]: 'off' })).toEqual([
      `${name}: is not a setting. Did you mean ${meant}? If not, rename it.`,
    ])
    expect(problems({}, { '/srv/.env': `${name}=off\n` })).toHaveLength(1)
  })

  it.each(['MODE', 'DOMAIN', 'BEFORE', 'SCOPES'])(
    'by a short end of its name is a warning, since other programs have one: %s',
    (name) => {
      expect(load({ env: { [name]: 'x' } }).warnings).toEqual([
        expect.stringMatching(
          new RegExp(`^${name}: is not a setting\\. Did you mean \\w+_${name}\\?$`),
        ),
      ])
    },
  )
})

/** What Kubernetes makes for a Service with a named port and two ports, one of them UDP. */
function linksOf(service: string): Record<string, string> {
  const name = service.toUpperCase().replaceAll('-', '_')
  const port = (number: number, protocol: string) => ({
    [`${name}_PORT_${number}_${protocol}`]: `${protocol.toLowerCase()}://10.0.0.1:${number}`,
    [`${name}_PORT_${number}_${protocol}_PROTO`]: protocol.toLowerCase(),
    [`${name}_PORT_${number}_${protocol}_PORT`]: String(number),
    [`${name}_PORT_${number}_${protocol}_ADDR`]: '10.0.0.1',
  })
  return {
    [`${name}_SERVICE_HOST`]: '10.0.0.1',
    [`${name}_SERVICE_PORT`]: '8080',
    [`${name}_SERVICE_PORT_HTTP`]: '8080',
    [`${name}_SERVICE_PORT_${name}`]: '8080',
    [`${name}_PORT`]: 'tcp://10.0.0.1:8080',
    ...port(8080, 'TCP'),
    ...port(53, 'UDP'),
  }
}

describe('ed20: the variables of a Kubernetes Service', () => {
  const SERVICES = [
    ...['gatewarden', 'gw', 'keycloak', 'keycloak-auth', 'redis', 'notes', 'metrics', 'log'],
    ...['secret', 'public', 'registration', 'prod', 'trusted', 'client', 'gatewarden-prod'],
    ...settings.map(({ name }) => name.toLowerCase().replaceAll('_', '-')),
  ]
  it.each(SERVICES)('named %s stop no start, and change nothing', (service) => {
    const { config, warnings } = load({ env: linksOf(service) })
    expect(config).toEqual(load().config)
    const own = service === 'keycloak-auth'
    expect(warnings).toEqual(
      own
        ? [
            'KEYCLOAK_AUTH_PORT: is ignored: Kubernetes made it for a Service of that name. Set enableServiceLinks: false for this pod.',
          ]
        : [],
    )
  })

  it('named keycloak-auth say nothing about the Keycloak that is configured', () => {
    const env = { ...linksOf('keycloak-auth'), PROVIDER: 'keycloak', CLIENT_ID: 'x' }
    const { config } = load({
      env: { ...env, CLIENT_SECRET: 'y', KEYCLOAK_AUTH_HOST: 'id.example.com' },
      files: { '/srv/gatewarden.yaml': '' },
    })
    expect(config.provider).toMatchObject({
      issuerUrl: 'https://id.example.com:8080/realms/master',
    })
  })

  it('are told from a mistake: a port of its own is none of a Service', () => {
    expect(problems({ GATEWARDEN_PORT: '8080' })).toHaveLength(1)
    expect(problems({ KEYCLOAK_AUTH_PORT: 'udp', PROVIDER: 'keycloak' })).not.toEqual([])
  })
})

describe('ed13: COOKIE_DOMAIN on a public suffix', () => {
  it.each([
    ['co.uk', 'https://auth.example.co.uk', 'example.co.uk'],
    ['com.au', 'https://a.com.au', 'a.com.au'],
    ['duckdns.org', 'https://a.duckdns.org', 'a.duckdns.org'],
    ['duckdns.org', 'https://gate.a.duckdns.org', 'a.duckdns.org'],
    ['github.io', 'https://me.github.io', 'me.github.io'],
    ['ts.net', 'https://gate.tail1234.ts.net', 'tail1234.ts.net'],
    ['s3.amazonaws.com', 'https://a.s3.amazonaws.com', 'a.s3.amazonaws.com'],
    ['kawasaki.jp', 'https://a.b.kawasaki.jp', 'a.b.kawasaki.jp'],
    ['xn--55qx5d.cn', 'https://a.xn--55qx5d.cn', 'a.xn--55qx5d.cn'],
    ['公司.cn', 'https://a.公司.cn', 'a.xn--55qx5d.cn'],
  ])('%s is a problem that names the domain to use', (domain, url, own) => {
    const ascii = new URL(`https://${domain}`).host
    expect(problems({ COOKIE_DOMAIN: domain, PUBLIC_URL: url })).toEqual([
      `COOKIE_DOMAIN: ${ascii} is a public suffix: no browser keeps a cookie for it. Use ${own}.`,
    ])
    expect(problems({ COOKIE_DOMAIN: own, PUBLIC_URL: url })).toEqual([])
  })

  it.each([
    ['city.kawasaki.jp', 'https://auth.city.kawasaki.jp'],
    ['nip.io', 'https://auth.nip.io'],
    ['example.internal', 'https://auth.example.internal'],
  ])('%s belongs to somebody, so it is fine', (domain, url) => {
    expect(problems({ COOKIE_DOMAIN: domain, PUBLIC_URL: url })).toEqual([])
  })

  it.each(['co.uk', 'duckdns.org', 'github.io'])(
    'RESOURCES=https://*.%s is a warning, and a problem under PROD_MODE',
    (suffix) => {
      const env = { RESOURCES: `https://*.${suffix}`, PUBLIC_URL: 'https://auth.example.com' }
      const found = `RESOURCES: https://*.${suffix} covers the hosts of strangers, because ${suffix} is a public suffix`
      expect(load({ env }).warnings.filter((line) => line.startsWith(found))).toHaveLength(1)
      const live = problems({
        ...env,
        PROD_MODE: 'true',
        SECRET: 'nU0o7QpY1xJ4rTz8vKcW3mBdLs6HfGae2iXq',
      })
      expect(
        live.filter((line) => line.startsWith(`${found}, which PROD_MODE refuses`)),
      ).toHaveLength(1)
    },
  )

  it('is never proposed, neither for the cookie nor for the servers', () => {
    const [cookie] = problems({ COOKIE_DOMAIN: 'x.test', PUBLIC_URL: 'https://example.co.uk' })
    expect(cookie).toContain('Write example.co.uk')
    for (const url of [
      'https://example.co.uk',
      'https://example.com.au',
      'https://a.duckdns.org',
      'https://me.github.io',
    ]) {
      const [resources] = problems({ RESOURCES: undefined, PUBLIC_URL: url })
      expect(resources).toContain(`https://*.${new URL(url).host} `)
    }
  })
})
