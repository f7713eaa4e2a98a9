import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { BASE, load, loadYaml, problemsOf, USERS } from './harness.ts'

const from = (loaded: ReturnType<typeof load>, setting: string) =>
  loaded.sources.find((source) => source.setting === setting)

describe('where a setting comes from', () => {
  const files = { '/srv/.env': 'PORT=3\n' }
  const yaml = 'port: 4\n'

  it('takes a flag before the environment, .env, the file and the default', () => {
    const port = (given: Parameters<typeof load>[0]) => load(given).config.listen.port
    expect(port({ argv: ['--port', '1'], env: { PORT: '2' }, files, yaml })).toBe(1)
    expect(port({ env: { PORT: '2' }, files, yaml })).toBe(2)
    expect(port({ files, yaml })).toBe(3)
    expect(port({ yaml })).toBe(4)
    expect(port({})).toBe(11_000)
  })

  it('says for each value where it came from', () => {
    expect(from(load({ argv: ['-port', '1'] }), 'PORT')).toMatchObject({ value: '1', from: 'flag' })
    expect(from(load({ env: { PORT: '2' } }), 'PORT')?.from).toBe('environment')
    expect(from(load({ files }), 'PORT')?.from).toBe('.env')
    expect(from(load({ yaml }), 'PORT')?.from).toBe('gatewarden.yaml')
    expect(from(load(), 'PORT')).toMatchObject({ value: '11000', from: 'default' })
    expect(from(load(), 'users.ann.email')).toMatchObject({
      value: 'ann@example.com',
      from: 'gatewarden.yaml',
    })
  })

  it('counts an empty variable as unset', () => {
    expect(load({ env: { PORT: '' }, yaml }).config.listen.port).toBe(4)
    expect(load({ env: { PORT: '  ' }, yaml }).config.listen.port).toBe(4)
  })

  it('counts a name without a value in the file as unset', () => {
    expect(load({ yaml: 'port:\n' }).config.listen.port).toBe(11_000)
  })

  it('reads the file named by --config instead of gatewarden.yaml', () => {
    const loaded = load({
      argv: ['--config', 'other.yaml'],
      yaml,
      files: { '/srv/other.yaml': `${USERS}port: 5\n` },
    })
    expect(loaded.config.listen.port).toBe(5)
    expect(from(loaded, 'PORT')?.from).toBe('other.yaml')
  })

  it('refuses a --config file that does not exist, and reports no setting it may hold as missing', () => {
    expect(problemsOf(() => load({ argv: ['--config=/etc/no.yaml'] }))).toEqual([
      '/etc/no.yaml: there is no such file. Check --config.',
    ])
  })

  it('names a file that cannot be read', () => {
    const readFile = (path: string) => {
      throw Object.assign(new Error('no'), { code: path.endsWith('.env') ? 'EACCES' : 'ENOENT' })
    }
    expect(problemsOf(() => loadConfig({ argv: [], env: BASE, cwd: '/srv', readFile }))).toEqual([
      expect.stringMatching(/^gatewarden\.yaml: no file was read/),
      '.env: cannot be read (EACCES). Check that it is a file, and its permissions.',
    ])
  })

  it('accepts the old names in the environment', () => {
    const { config } = load({
      env: {
        PUBLIC_URL: undefined,
        OAUTH_DOMAIN: 'Auth.example.com:8443',
        UPSTREAM_MCP_URL: 'http://notes:3000/mcp',
      },
    })
    expect(config.publicUrl.origin).toBe('https://auth.example.com:8443')
    expect(config.resources[0]?.upstream).toBe('http://notes:3000/mcp')
  })

  it('makes OAUTH_DOMAIN http with DEV_MODE', () => {
    const env = { PUBLIC_URL: undefined, OAUTH_DOMAIN: 'localhost:11000', DEV_MODE: 'True' }
    expect(load({ env }).config.publicUrl).toEqual({
      origin: 'http://localhost:11000',
      host: 'localhost:11000',
      secure: false,
    })
  })

  it('refuses an OAUTH_DOMAIN that is a URL', () => {
    const env = { PUBLIC_URL: undefined, OAUTH_DOMAIN: 'https://auth.example.com' }
    expect(problemsOf(() => load({ env }))).toEqual([
      'OAUTH_DOMAIN: "https://auth.example.com" is more than a host. Write the host alone, or use PUBLIC_URL.',
    ])
  })

  it('warns when a name and its alias are both set, and takes the name', () => {
    const loaded = load({ env: { OAUTH_DOMAIN: 'other.example.com' } })
    expect(loaded.config.publicUrl.host).toBe('auth.example.com')
    expect(loaded.warnings).toEqual(['OAUTH_DOMAIN: has no effect, because PUBLIC_URL is set too.'])
  })

  it('splits lists at commas in the environment and takes them as lists from the file', () => {
    const expected = ['10.0.0.0/8', '192.0.2.1']
    const env = { TRUSTED_PROXIES: ' 10.0.0.0/8 , 192.0.2.1,, 10.0.0.0/8' }
    expect(load({ env }).config.trustedProxies).toEqual(expected)
    const yaml = 'trusted_proxies: [10.0.0.0/8, 192.0.2.1]\n'
    expect(load({ yaml }).config.trustedProxies).toEqual(expected)
  })

  it('takes the global allow of the file for the three lists, and refuses both spellings at once', () => {
    const resource = 'resources: [https://mcp.example.com]\n'
    const allow = 'allow: { emails: [Bob@example.com], groups: [staff] }\n'
    expect(loadYaml(resource + allow).config.resources[0]?.allow).toEqual({
      anyone: false,
      emails: ['bob@example.com'],
      domains: [],
      groups: ['staff'],
    })
    expect(problemsOf(() => loadYaml(`${resource}${allow}allowed_groups: [admins]\n`))).toEqual([
      'allow.groups: conflicts with allowed_groups. Remove one of the two.',
    ])
  })

  it('refuses RESOURCES beside a map of resources, whose rules it would drop', () => {
    const yaml = 'resources: { notes: { url: https://mcp.example.com } }\n'
    expect(problemsOf(() => load({ yaml }))).toEqual([
      'RESOURCES: conflicts with the map of resources in the file. Remove one of the two.',
    ])
  })

  it('freezes everything it hands out', () => {
    const { config } = load()
    expect(Object.isFrozen(config)).toBe(true)
    expect(Object.isFrozen(config.resources[0]?.allow.emails)).toBe(true)
    expect(Object.isFrozen(config.users[0])).toBe(true)
  })
})
