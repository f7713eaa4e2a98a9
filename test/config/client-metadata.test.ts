import { describe, expect, it } from 'vitest'
import { load, problemsOf } from './harness.ts'

const config = (env: Record<string, string>) => load({ env }).config.clientMetadata
const problems = (env: Record<string, string>, files: Record<string, string> = {}) =>
  problemsOf(() => load({ env, files }))

describe('CLIENT_METADATA_HOSTS', () => {
  it('is open unless set, and off where no client may register', () => {
    expect(config({}).hosts).toEqual({ allowed: ['open'], denied: [] })
    expect(config({ CLIENT_REGISTRATION: 'off' }).hosts.allowed).toEqual([])
    const both = { CLIENT_REGISTRATION: 'off', CLIENT_METADATA_HOSTS: 'claude.ai' }
    expect(config(both).hosts.allowed).toEqual(['claude.ai'])
    expect(config({ CLIENT_METADATA_HOSTS: 'off' }).hosts.allowed).toEqual([])
  })

  it('takes hosts as URLs have them, wildcards and ports', () => {
    const list = 'Claude.ai,*.Example.com,a.example:443,b.example:8443,bücher.example'
    expect(config({ CLIENT_METADATA_HOSTS: list }).hosts.allowed).toEqual([
      'claude.ai',
      '*.example.com',
      'a.example',
      'b.example:8443',
      'xn--bcher-kva.example',
    ])
  })

  it.each([
    'https://claude.ai',
    'claude.ai/x',
    'a*.example.com',
    '*.*.example.com',
    '10.0.0.1',
    'intranet',
    'a b',
    '[2606:4700::1]',
  ])('refuses %s', (value) => {
    expect(problems({ CLIENT_METADATA_HOSTS: value })).toEqual([
      expect.stringMatching(/^CLIENT_METADATA_HOSTS: .* is not a host of the Internet\. Write it/),
    ])
  })

  it.each(['localhost', '127.0.0.1:8080'])('refuses %s, and names the switch for it', (value) => {
    expect(problems({ CLIENT_METADATA_HOSTS: value })).toEqual([
      expect.stringContaining('CLIENT_METADATA_LOOPBACK=true'),
    ])
  })

  it('refuses off in a list', () => {
    expect(problems({ CLIENT_METADATA_HOSTS: 'off,claude.ai' })).toEqual([
      'CLIENT_METADATA_HOSTS: off cannot stand in a list. Write it alone.',
    ])
  })
})

describe('CLIENT_METADATA_DENIED_HOSTS', () => {
  it('takes hosts without their ports', () => {
    const env = { CLIENT_METADATA_DENIED_HOSTS: 'evil.example:8443,*.other.example' }
    expect(config(env).hosts.denied).toEqual(['evil.example', '*.other.example'])
    expect(problems({ CLIENT_METADATA_DENIED_HOSTS: 'open' })).toHaveLength(1)
  })
})

describe('CLIENT_METADATA_LOOPBACK', () => {
  const TRUE = { CLIENT_METADATA_LOOPBACK: 'true' }

  it('is for a gateway on this machine alone', () => {
    expect(problems({ ...TRUE, PUBLIC_URL: 'http://127.0.0.1:11000' })).toEqual([])
    expect(problems(TRUE)).toEqual([
      'CLIENT_METADATA_LOOPBACK: is for a gateway on this machine alone: strangers could make it call its neighbours. Remove it.',
    ])
  })

  it('is refused by PROD_MODE', () => {
    const env = { ...TRUE, PROD_MODE: 'true', PUBLIC_URL: 'https://localhost:11000' }
    expect(problems(env)).toContain(
      'CLIENT_METADATA_LOOPBACK: conflicts with PROD_MODE. Remove one of the two.',
    )
  })
})

describe('CLIENT_METADATA_PINNED', () => {
  const ID = 'https://vscode.dev/oauth/client-metadata.json'
  const document = (changes: Record<string, unknown> = {}) =>
    JSON.stringify({
      client_id: ID,
      client_name: 'Visual Studio Code',
      redirect_uris: ['http://127.0.0.1/', 'https://vscode.dev/redirect'],
      ...changes,
    })
  const ENV = { CLIENT_METADATA_PINNED: 'vscode.json' }
  const pinned = (text: string) => problems(ENV, { '/srv/vscode.json': text })

  it('reads the client id out of each document', () => {
    const { clientMetadata } = load({
      env: ENV,
      files: { '/srv/vscode.json': document() },
    }).config
    expect(clientMetadata.pinned).toEqual({ [ID]: document() })
  })

  it.each([
    ['no JSON', '{', /is not JSON/],
    ['a list', '[]', /has no client_id that is a URL/],
    ['a name as client_id', document({ client_id: 'vscode' }), /has no client_id that is a URL/],
    [
      'an inner address',
      document({ client_id: 'https://10.0.0.1/x' }),
      /its client_id names an address/,
    ],
    [
      'a dangerous redirect',
      document({ redirect_uris: ['javascript:alert(1)'] }),
      /no redirect URI/,
    ],
    ['no name', document({ client_name: '' }), /client_name/],
    ['a secret', document({ client_secret: 'x' }), /client_secret/],
  ])('refuses %s', (_what, text, problem) => {
    const found = pinned(text)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(/^CLIENT_METADATA_PINNED\.vscode\.json: /)
    expect(found[0]).toMatch(problem)
    expect(found[0]).toMatch(/\. [A-Z].*\.$/)
  })

  it('refuses a file that is not there, and two of one client', () => {
    expect(problems(ENV)).toEqual([
      'CLIENT_METADATA_PINNED.vscode.json: there is no such file. Check the path.',
    ])
    const files = { '/srv/a.json': document(), '/srv/b.json': document() }
    expect(problems({ CLIENT_METADATA_PINNED: 'a.json,b.json' }, files)).toEqual([
      'CLIENT_METADATA_PINNED.b.json: is a second document of one client. Remove one of the two.',
    ])
  })
})

describe('the keys of a client of the configuration', () => {
  const JWKS = JSON.stringify({ keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }] })
  const client = (extra: string) =>
    `clients: [{ client_id: ci, redirect_uris: ["https://ci.example.com/cb"], ${extra} }]\n`
  const clientOf = (extra: string, files: Record<string, string> = {}) =>
    load({ yaml: client(extra), files }).config.clients[0]
  const problem = (extra: string, files: Record<string, string> = {}) =>
    problemsOf(() => load({ yaml: client(extra), files }))

  it('make it sign its requests', () => {
    expect(clientOf('jwks_uri: "https://ci.example.com/jwks"')).toMatchObject({
      authMethod: 'private_key_jwt',
      keys: { kind: 'jwks_uri', uri: 'https://ci.example.com/jwks' },
    })
    expect(clientOf('jwks_file: keys.json', { '/srv/keys.json': JWKS })).toMatchObject({
      authMethod: 'private_key_jwt',
      keys: { kind: 'jwks', jwks: JSON.parse(JWKS) },
    })
  })

  it('let it act for itself and look up tokens, as a secret does', () => {
    const yaml = `clients: [{ client_id: ci, jwks_uri: "https://ci.example.com/jwks", grant_types: [client_credentials], introspects: [mcp-example-com-notes-mcp] }]\n`
    expect(load({ yaml }).config.clients[0]).toMatchObject({
      grantTypes: ['client_credentials'],
      introspects: ['mcp-example-com-notes-mcp'],
    })
  })

  it.each([
    ['jwks_uri: "http://ci.example.com/jwks"', /is not an https URL/],
    ['jwks_uri: "https://a:b@ci.example.com/jwks"', /is not an https URL/],
    ['jwks_uri: "https://a.test/", jwks_file: keys.json', /conflicts with jwks_file/],
    [
      'jwks_uri: "https://a.test/", client_secret: "a secret of this client"',
      /private_key_jwt alone/,
    ],
    ['jwks_uri: "https://a.test/", token_endpoint_auth_method: none', /private_key_jwt alone/],
    ['token_endpoint_auth_method: private_key_jwt', /needs keys/],
    ['jwks_file: missing.json', /no such file/],
    ['jwks_file: bad.json', /is not JSON/],
    ['jwks_file: private.json', /private or symmetric/],
  ])('are refused: %s', (extra, expected) => {
    const found = problem(extra, {
      '/srv/keys.json': JWKS,
      '/srv/bad.json': '{',
      '/srv/private.json': JSON.stringify({ keys: [{ kty: 'oct', k: 'aaaa' }] }),
    })
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(expected)
    expect(found[0]).not.toContain('aaaa')
  })
})
