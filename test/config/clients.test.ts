import { describe, expect, it } from 'vitest'
import { load, loadYaml, problemsOf } from './harness.ts'

const SECRET = 'never-to-be-read-by-anybody-1234567890'
const CI = `client_id: ci, redirect_uris: ["https://ci.example/cb"]`
const NOTES =
  'resources: { notes: { url: https://mcp.example.com/mcp, scopes: { read: R, write: W } } }\nallow: { emails: ["*"] }\n'

const inFile = (client: string, files: Record<string, string> = {}) =>
  loadYaml(`${NOTES}clients: [{ ${client} }]\n`, { files })
const asJson = (value: unknown) =>
  load({ env: { MCPAUTH_BOOTSTRAP_CLIENTS: JSON.stringify(value), ALLOWED_SCOPES: 'read,write' } })

describe('a client of the file', () => {
  it('is public and may do what a server offers, unless it says more', () => {
    expect(inFile(CI).config.clients).toEqual([
      {
        id: 'ci',
        name: 'ci',
        redirectUris: ['https://ci.example/cb'],
        grantTypes: ['authorization_code', 'refresh_token'],
        authMethod: 'none',
      },
    ])
  })

  it('is taken whole', () => {
    const client = `${CI}, client_secret_file: /run/ci, client_name: Nightly, scopes: [read], grant_types: [authorization_code], token_endpoint_auth_method: client_secret_post`
    expect(inFile(client, { '/run/ci': `${SECRET}\n` }).config.clients).toEqual([
      {
        id: 'ci',
        name: 'Nightly',
        secret: SECRET,
        redirectUris: ['https://ci.example/cb'],
        scopes: ['read'],
        grantTypes: ['authorization_code'],
        authMethod: 'client_secret_post',
      },
    ])
  })

  it('needs no redirect URI if nobody signs in for it', () => {
    const program = `client_id: ci, client_secret: ${SECRET}, grant_types: [client_credentials], resources: [notes]`
    expect(inFile(program).config.clients).toEqual([
      {
        id: 'ci',
        name: 'ci',
        secret: SECRET,
        redirectUris: [],
        resources: ['notes'],
        grantTypes: ['client_credentials'],
        authMethod: 'client_secret_basic',
      },
    ])
    const looksUp = `client_id: ci, client_secret: ${SECRET}, grant_types: [], introspects: [notes]`
    expect(inFile(looksUp).config.clients[0]?.grantTypes).toEqual([])
  })

  it('may leave the question out (K38), and each start names it', () => {
    const portal = `${CI}, client_secret: ${SECRET}, consent: false`
    const { config, warnings } = inFile(portal)
    expect(config.clients[0]).toMatchObject({ id: 'ci', needsConsent: false })
    expect(warnings).toContain(
      'clients.ci.consent: is false: people are not asked before this client gets access.',
    )
    const asked = inFile(portal.replace('consent: false', 'consent: true'))
    expect(asked.config.clients[0]).not.toHaveProperty('needsConsent')
  })

  it('without the question gets all tools of a server whose people choose them, and the start names that server', () => {
    const yaml = (more: string) => `resources:
  notes: { url: "https://mcp.example.com/notes", upstream: "http://127.0.0.1:1/notes", tool_choices: true }
  wiki: { url: "https://mcp.example.com/wiki", upstream: "http://127.0.0.1:2/wiki" }
allow: { emails: ["*"] }
clients: [{ ${CI}, client_secret: ${SECRET}, consent: false${more} }]
`
    const warned = (more: string) =>
      loadYaml(yaml(more), { env: { RESOURCES: undefined } }).warnings.filter((one) =>
        one.includes('nobody chooses'),
      )
    expect(warned('')).toEqual([
      'clients.ci.consent: is false, so nobody chooses among the tools of notes (tool_choices): this client gets all of them. Add scopes to the client, or remove consent.',
    ])
    expect(warned(', scopes: ["tools:read"]')).toEqual([])
    expect(warned(', resources: [wiki]')).toEqual([])
  })

  it('never leaves the question out where clients get tokens of the provider', () => {
    const yaml = `${NOTES}clients: [{ ${CI}, client_secret: ${SECRET}, consent: false }]
provider: oidc
issuer_url: https://id.example.com
client_id: gatewarden
client_secret: ${SECRET}
accept_provider_tokens: true
client_tokens: provider
`
    expect(
      problemsOf(() =>
        load({
          env: { RESOURCES: undefined, ALLOWED_EMAILS: undefined },
          files: { '/srv/gatewarden.yaml': yaml },
        }),
      ),
    ).toEqual([
      expect.stringMatching(/^clients\.ci\.consent: is false, but CLIENT_TOKENS hands out/),
    ])
  })

  it.each([
    [
      'client_id: https://app.example/client.json, redirect_uris: ["https://ci.example/cb"]',
      'clients.https://app.example/client.json.client_id: "https://app.example/client.json" is a URL, which would mean a Client ID Metadata Document. Choose a name.',
    ],
    [
      'client_id: eyJhbGciOiJkaXIifQ..aXY.Y3Q.dGFn, redirect_uris: ["https://ci.example/cb"]',
      'clients.eyJhbGciOiJkaXIifQ..aXY.Y3Q.dGFn.client_id: has the form of the ids that registration issues. Choose another id.',
    ],
    ['redirect_uris: ["https://ci.example/cb"]', 'clients.1.client_id: is missing. Write a value.'],
    [
      'client_id: ci, redirect_uris: ["http://ci.example/cb"]',
      'clients.ci.redirect_uris: "http://ci.example/cb" uses http for a host other than loopback. Change or remove it.',
    ],
    [
      'client_id: ci, redirect_uris: ["https://auth.example.com/callback"]',
      'clients.ci.redirect_uris: "https://auth.example.com/callback" points to the authorization server itself. Change or remove it.',
    ],
    [
      'client_id: ci',
      'clients.ci.redirect_uris: lists no URI. Add the redirect URI of the client.',
    ],
    [
      'client_id: ci, redirect_uris: []',
      'clients.ci.redirect_uris: lists no URI. Add the redirect URI of the client.',
    ],
    [
      `${CI}, client_secret: a, client_secret_file: /run/ci`,
      'clients.ci.client_secret: conflicts with client_secret_file. Remove one of the two.',
    ],
    [
      `${CI}, client_secret_file: /run/missing`,
      'clients.ci.client_secret_file: there is no such file. Check the path.',
    ],
    [
      `${CI}, client_secret_file: /run/missing, token_endpoint_auth_method: client_secret_post`,
      'clients.ci.client_secret_file: there is no such file. Check the path.',
    ],
    [
      `${CI}, client_secret: ${SECRET}, introspects: [note]`,
      'clients.ci.introspects: no server has the id "note". Did you mean notes?',
    ],
    [
      `${CI}, client_secret: ${SECRET}, introspects: []`,
      'clients.ci.introspects: lists no server. Add one, or leave the setting out.',
    ],
    [
      `${CI}, introspects: [notes]`,
      'clients.ci.introspects: needs a client secret or keys. Add client_secret_file or jwks_file.',
    ],
    [
      `client_id: ci, redirect_uris: [https://ci.example/cb], consent: false`,
      'clients.ci.consent: is false, but the client has no secret. Add client_secret_file (keys do not count here), or remove consent.',
    ],
    ...[
      'http://127.0.0.1/cb',
      'https://localhost/cb',
      'https://app.localhost/cb',
      'com.example.ci:/cb',
    ].map(
      (uri) =>
        [
          `client_id: ci, client_secret: ${SECRET}, redirect_uris: ["${uri}"], consent: false`,
          `clients.ci.consent: is false, but any program on the person's computer can get the answer at "${uri}". Use https redirect URIs of a host alone, or remove consent.`,
        ] as [string, string],
    ),
    [
      `client_id: ci, client_secret: ${SECRET}, grant_types: [client_credentials], consent: false`,
      'clients.ci.consent: is false, but nobody signs in for this client. Remove it.',
    ],
    [
      `client_id: ci, client_secret: ${SECRET}, grant_types: ["urn:ietf:params:oauth:grant-type:device_code"], consent: false`,
      'clients.ci.consent: is false, but people of a device are always asked. Remove it.',
    ],
    [
      `${CI}, scopes: [constructor]`,
      'clients.ci.scopes: no server offers "constructor". Remove it.',
    ],
    [
      `${CI}, token_endpoint_auth_method: client_secret_basic`,
      'clients.ci.token_endpoint_auth_method: needs a secret, but the client has none. Add client_secret_file, or write none.',
    ],
    [
      `${CI}, token_endpoint_auth_method: private_key_jwt`,
      'clients.ci.token_endpoint_auth_method: needs keys, but the client has none. Add jwks_uri or jwks_file.',
    ],
    [
      `client_id: ci, grant_types: [refresh_token]`,
      'clients.ci.grant_types: has refresh_token without authorization_code. Add or remove one.',
    ],
    [
      `${CI}, grant_types: [authorization_code, client_credentials]`,
      'clients.ci.grant_types: has client_credentials, which needs a secret or keys. Add client_secret_file or jwks_file.',
    ],
    [
      `${CI}, client_secret: ${SECRET}, grant_types: [client_credentials]`,
      'clients.ci.redirect_uris: needs the grant type authorization_code. Remove the list, or add the grant type.',
    ],
    [
      `${CI}, grant_types: [password]`,
      'clients.ci.grant_types: "password" is not a supported grant type. Write one of authorization_code, refresh_token, client_credentials, urn:ietf:params:oauth:grant-type:device_code.',
    ],
    [
      `client_id: ci, client_secret: ${SECRET}, grant_types: []`,
      'clients.ci.grant_types: lists no grant type. Add one, or leave the setting out.',
    ],
    [
      `${CI}, resources: [wiki]`,
      'clients.ci.resources: no server has the id "wiki". Write the id of a server: notes.',
    ],
    [`${CI}, scopes: [delete]`, 'clients.ci.scopes: no server offers "delete". Remove it.'],
    [`${CI}, scopes: []`, 'clients.ci.scopes: lists no scope. Add one, or leave the setting out.'],
    [
      `${CI}, redirect_uri: x`,
      'clients.ci.redirect_uri: is not a setting. Did you mean redirect_uris?',
    ],
  ])('is refused with { %s }', (client, problem) => {
    const files = { '/run/ci': SECRET }
    expect(problemsOf(() => inFile(client, files))).toEqual([problem])
  })

  it('is an entry of a list, and is listed once', () => {
    expect(problemsOf(() => load({ yaml: 'clients: { ci: {} }\n' }))).toEqual([
      'clients: must be a list. Write each as `- { client_id: ..., ... }`.',
    ])
    expect(problemsOf(() => loadYaml(`${NOTES}clients: [{ ${CI} }, { ${CI} }]\n`))).toEqual([
      'clients.ci: is listed twice. Remove the duplicate.',
    ])
  })
})

describe('MCPAUTH_BOOTSTRAP_CLIENTS', () => {
  const client = { client_id: 'edge', client_secret: SECRET, redirect_uris: ['https://e.example/'] }

  it('is a JSON list as mcpauth has it', () => {
    const scopes = ['openid', 'email', 'profile']
    const { config } = asJson([{ ...client, client_name: 'Edge', scopes }])
    // No server has the scopes of OpenID Connect, so they limit nothing.
    expect(config.clients).toEqual([
      {
        id: 'edge',
        name: 'Edge',
        secret: SECRET,
        redirectUris: ['https://e.example/'],
        grantTypes: ['authorization_code', 'refresh_token'],
        authMethod: 'client_secret_basic',
      },
    ])
  })

  it('limits a client to the scopes of servers among its own', () => {
    const { config } = asJson([{ ...client, scopes: ['openid', 'read'] }])
    expect(config.clients[0]?.scopes).toEqual(['read'])
  })

  it('may be read from a file', () => {
    const env = { MCPAUTH_BOOTSTRAP_CLIENTS_FILE: '/run/clients' }
    const files = { '/run/clients': JSON.stringify([client]) }
    expect(load({ env, files }).config.clients.map(({ id }) => id)).toEqual(['edge'])
  })

  it.each(['client_id', 'client_secret', 'redirect_uris'])(
    'ignores a client without %s, as mcpauth does, and says so',
    (part) => {
      for (const absent of [undefined, '', null]) {
        const { config, warnings } = asJson([{ ...client, [part]: absent }])
        expect(config.clients).toEqual([])
        expect(warnings).toEqual([
          `MCPAUTH_BOOTSTRAP_CLIENTS.${part === 'client_id' ? 1 : 'edge'}: has no ${part}, so it is ignored. Add it; a client without a secret belongs under clients in gatewarden.yaml.`,
        ])
      }
    },
  )

  it('needs no client for the edge login, whose redirect is our own address', () => {
    const ofMcpauth = {
      client_id: 'edge-auth-client',
      client_secret: SECRET,
      redirect_uris: ['https://auth.example.com/auth/connect/callback'],
    }
    const { config, warnings } = asJson([ofMcpauth, client])
    expect(config.clients.map(({ id }) => id)).toEqual(['edge'])
    expect(warnings).toEqual([
      'MCPAUTH_BOOTSTRAP_CLIENTS.edge-auth-client: is not needed, so it is ignored. Remove it.',
    ])
  })

  it.each([
    ['{', 'is not a JSON list.'],
    [SECRET, 'is not a JSON list.'],
    ['{"client_id":"x"}', 'is not a JSON list.'],
    [JSON.stringify([SECRET]), 'MCPAUTH_BOOTSTRAP_CLIENTS.1: must be a map of settings.'],
    [JSON.stringify([{ ...client, redirect_uris: 7 }]), '.edge.redirect_uris: must be'],
    [JSON.stringify([{ ...client, client_secret: `${SECRET}\nmore` }]), '.edge.client_secret: is'],
    [JSON.stringify([client, client]), '.edge: is listed twice.'],
  ])('is refused as %j, without a word of a secret', (value, problem) => {
    const problems = problemsOf(() => load({ env: { MCPAUTH_BOOTSTRAP_CLIENTS: value } }))
    expect(problems).toEqual([expect.stringContaining(problem)])
    expect(problems.join()).not.toContain(SECRET.slice(0, 12))
  })
})

it('hides the secrets of clients in the list of sources', () => {
  const { sources } = loadYaml(`${NOTES}clients: [{ ${CI}, client_secret: ${SECRET} }]\n`, {
    env: {
      MCPAUTH_BOOTSTRAP_CLIENTS: JSON.stringify([
        { client_id: 'x', client_secret: SECRET, redirect_uris: ['https://x.example/'] },
      ]),
    },
  })
  expect(JSON.stringify(sources)).not.toContain(SECRET.slice(0, 12))
  expect(sources.filter(({ value }) => value === '(hidden)').map(({ setting }) => setting)).toEqual(
    ['MCPAUTH_BOOTSTRAP_CLIENTS', 'users.ann.password_hash', 'clients.ci.client_secret'],
  )
  expect(sources).toContainEqual({
    setting: 'clients.ci.redirect_uris',
    value: 'https://ci.example/cb',
    from: 'gatewarden.yaml',
  })
})
