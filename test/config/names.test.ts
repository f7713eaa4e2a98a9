import { describe, expect, it } from 'vitest'
import { load, problemsOf } from './harness.ts'

const SECRET = 'do-not-show-me-do-not-show-me-do-not'

describe('flags', () => {
  it('reads both spellings of a flag, with a space or an equals sign', () => {
    const { config } = load({
      argv: ['--port=12', '--log-level', 'debug', '-dataDir', '/var/lib/gw', '--dev-mode'],
    })
    expect(config.listen.port).toBe(12)
    expect(config.logLevel).toBe('debug')
    expect(config.dataDir).toBe('/var/lib/gw')
  })

  it("reads mcpauth's flags in their spelling", () => {
    const { config } = load({
      env: { PUBLIC_URL: undefined },
      argv: ['-port', '9000', '-oauthDomain', '10.0.0.5:9000', '-devMode', '-allowedEmails=*'],
    })
    expect(config.publicUrl.origin).toBe('http://10.0.0.5:9000')
    expect(config.listen.port).toBe(9000)
    expect(config.resources[0]?.allow.anyone).toBe(true)
  })

  it('takes a value for a switch only after an equals sign', () => {
    const http = { PUBLIC_URL: 'http://10.0.0.5' }
    expect(load({ env: http, argv: ['--dev-mode', '--port', '1'] }).config.listen.port).toBe(1)
    expect(problemsOf(() => load({ env: http, argv: ['--dev-mode=false'] }))).toHaveLength(1)
  })

  it.each([
    [['--prot', '1'], '--prot: is not a flag. Did you mean --port?'],
    [['-oauthDomian=x'], '-oauthDomian: is not a flag. Did you mean --oauth-domain?'],
    [['--zzzzzzzz'], '--zzzzzzzz: is not a flag. See gatewarden --help.'],
    [['--port'], '--port: has no value. Write --port VALUE.'],
    [['--host', '--port', '1'], '--host: has no value. Write --host VALUE.'],
    [['--port', '1', '--port', '2'], '--port: is given twice. Remove one.'],
    [['stray'], 'argument 1: is neither a flag nor the value of one. See gatewarden --help.'],
  ])('refuses %j', (argv, problem) => {
    expect(problemsOf(() => load({ argv }))).toEqual([problem])
  })

  it.each([
    [['--secert', SECRET]],
    [[`--secert=${SECRET}`]],
    [['--dev-mode', SECRET]],
    [['--secret', 'abc', SECRET]],
    [['--admin-password', SECRET, '--prot', '1']],
  ])('never repeats the value of a mistyped flag', (argv) => {
    const problems = problemsOf(() => load({ argv }))
    expect(problems).not.toEqual([])
    expect(problems.join()).not.toContain(SECRET)
  })

  it('takes a value that starts with a dash', () => {
    const argv = ['--secret', `-${SECRET}`]
    expect(load({ argv }).config.secret).toBe(`-${SECRET}`)
  })

  it("names mcpauth's flags that no longer have an effect, with what to do instead", () => {
    const { warnings } = load({ argv: ['-adminEmail', 'a@example.com', '-adminPassword', SECRET] })
    expect(warnings).toEqual([
      'mcpauth: these of its settings no longer have an effect: -adminEmail, -adminPassword (list people under users in gatewarden.yaml, with hashes from gatewarden hash-password).',
    ])
  })
})

describe('names in the environment', () => {
  it('leaves the names of others alone', () => {
    const env = { PATH: '/bin', HOSTNAME: 'x', CLIENT_IP: '1', NODE_ENV: 'production', POTR: '1' }
    expect(load({ env }).warnings).toEqual([])
  })

  it.each([
    ['PUBLIC_URI', 'PUBLIC_URL'],
    ['ALLOWED_EMAIL', 'ALLOWED_EMAILS'],
    ['public_url', 'PUBLIC_URL'],
    ['REDIS_URI', 'REDIS_URL'],
    ['SECRET_FIEL', 'SECRET_FILE'],
    ['RESOURCE', 'RESOURCES'],
    ['TRUSTED_PROXY', 'TRUSTED_PROXIES'],
    ['GOOGLE_HOST_DOMAIN', 'GOOGLE_HOSTED_DOMAIN'],
    ['CLIENT_REGISTATOIN', 'CLIENT_REGISTRATION'],
  ])('refuses %s, a near miss of %s', (name, meant) => {
    expect(problemsOf(() => load({ env: { [name]: SECRET } }))).toEqual([
      `${name}: is not a setting. Did you mean ${meant}? If not, rename it.`,
    ])
  })

  it.each([
    ['SESSION_ID', 'SESSION_IDLE'],
    ['REDIS_ID', 'REDIS_CA'],
    ['DEMO_MODE', 'DEV_MODE'],
  ])('only warns of %s, which may be a name of another program', (name) => {
    const { warnings } = load({ env: { [name]: '1' } })
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(new RegExp(`^${name}: is not a setting. Did you mean \\w+\\?$`))
  })

  it('looks for near misses in .env too', () => {
    expect(problemsOf(() => load({ files: { '/srv/.env': 'TRUSTED_PROXIE=1\n' } }))).toEqual([
      'TRUSTED_PROXIE: is not a setting. Did you mean TRUSTED_PROXIES? If not, rename it.',
    ])
  })
})

describe('a line of .env that is not NAME=value', () => {
  const found = (text: string) => problemsOf(() => load({ files: { '/srv/.env': text } }))

  it.each([
    'PROD_MODE: true',
    'PROD_MODE',
    'set PROD_MODE=true',
    '- PROD_MODE=true',
    '"PROD_MODE=true"',
    '$env:PROD_MODE = "true"',
  ])('is named if it was to set something: %s', (line) => {
    expect(found(`PORT=9000\n# a comment\n${line}\n`)).toEqual([
      '.env: line 3 is not NAME=value and sets nothing. Write PROD_MODE=..., or # in front.',
    ])
  })

  it('is a doubt if it may be for another program, and its text is not repeated', () => {
    const { warnings } = load({ files: { '/srv/.env': 'MIIEvQIBADANBgkqhkiG9w0BAQ\n' } })
    expect(warnings).toEqual([
      '.env: line 1 is not NAME=value and sets nothing. Remove it, or write # in front.',
    ])
  })

  it.each([
    'export PORT=9000\n',
    '  PORT = 9000 # a port\n',
    'PORT="9000"\nBRAND_NAME="a # b" # c\n',
    `SECRET_PREVIOUS="${'a1b2c3d4'.repeat(5)}\n${'e5f6g7h8'.repeat(5)}"\nPORT=9000\n`,
    "OTHER='\nPROD_MODE: true\n'\nPORT=9000\n",
    '\ufeffPORT=9000\r\n\r\n# x\r\n',
    'PORT=9000\nOTHER_PROGRAM="half\n',
    'PORT=9000\nother.name-of=x\n',
  ])('is none of these: %j', (text) => {
    const { config, warnings } = load({ files: { '/srv/.env': text } })
    expect([config.listen.port, warnings.filter((line) => line.startsWith('.env'))]).toEqual([
      9000,
      [],
    ])
  })
})

describe('names in the file', () => {
  it.each([
    ['trusted_proxys: []', 'trusted_proxys: is not a setting. Did you mean trusted_proxies?'],
    ['PORT: 1', 'PORT: is not a setting. Did you mean port?'],
    [
      'nonsense: 1',
      'nonsense: is not a setting. Remove it; docs/configuration.md lists all settings.',
    ],
    ['allow: { email: [] }', 'allow.email: is not a setting. Did you mean emails?'],
    ['allow: everyone', 'allow: must be a map. Write it like `allow: { emails: ["*"] }`.'],
    ['static_token: {}', 'static_token: is not a setting. Did you mean static_tokens?'],
  ])('refuses %s', (yaml, problem) => {
    expect(problemsOf(() => load({ yaml: `${yaml}\n` }))).toEqual([problem])
  })
})
