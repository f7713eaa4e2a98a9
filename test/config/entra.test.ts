import { describe, expect, it } from 'vitest'
import { type Given, load, problemsOf } from './harness.ts'

const CONTOSO = '3f2504e0-4f89-41d3-9a0c-0305e82c3301'
const FABRIKAM = '72f988bf-86f1-41af-91ab-2d7cd011db47'
const PRIVATE = '9188040d-6c67-4c5b-b112-36a304b66dad'
const GROUP = 'fee2c45b-915a-4a64-b130-f4eb9e75525e'
const CLIENT = { CLIENT_ID: '6731de76', CLIENT_SECRET: 'nU0o7QpY1xJ4rTz8vKcW3mBd' }

const entra = (env: Given['env'] = {}) => ({
  env: { PROVIDER: 'entra', ENTRA_TENANT: CONTOSO, ...CLIENT, ...env },
  files: { '/srv/gatewarden.yaml': '' },
})
const problems = (env: Given['env']) => problemsOf(() => load(entra(env)))

describe('PROVIDER=entra', () => {
  it('is the authority of the tenant', () => {
    const { config, warnings } = load(entra({ ENTRA_TENANT: CONTOSO.toUpperCase() }))
    expect(warnings).toEqual([])
    expect(config.provider).toEqual({
      type: 'entra',
      id: 'entra',
      issuerUrl: `https://login.microsoftonline.com/${CONTOSO}/v2.0`,
      baseUrl: 'https://login.microsoftonline.com',
      graphUrl: 'https://graph.microsoft.com',
      tenants: [CONTOSO],
      clientId: CLIENT.CLIENT_ID,
      clientSecret: CLIENT.CLIENT_SECRET,
      verifiedDomains: [],
      namedGroups: [],
      allowInsecure: false,
    })
  })

  it('is the authority of all organisations for several tenants', () => {
    expect(load(entra({ ENTRA_TENANT: `${CONTOSO},${FABRIKAM}` })).config.provider).toMatchObject({
      issuerUrl: 'https://login.microsoftonline.com/organizations/v2.0',
      tenants: [CONTOSO, FABRIKAM],
    })
  })

  it.each(['common', 'organizations', 'Consumers'])('is not for everybody: %s', (tenant) => {
    expect(problems({ ENTRA_TENANT: tenant })).toEqual([
      `ENTRA_TENANT: "${tenant}" would let in people of any organisation. List the Directory (tenant) IDs of those you mean.`,
    ])
  })

  it.each(['contoso.onmicrosoft.com', '*', `${CONTOSO}0`, `{${CONTOSO}}`])(
    'has tenants by id, not %s',
    (tenant) => {
      expect(problems({ ENTRA_TENANT: tenant })).toEqual([
        expect.stringMatching(/^ENTRA_TENANT: .* is not the id of a tenant/),
      ])
    },
  )

  it.each([undefined, '', ','])('needs a tenant, and %j is none', (tenant) => {
    expect(problems({ ENTRA_TENANT: tenant })).toEqual([
      'ENTRA_TENANT: is missing, and PROVIDER=entra needs it. Set it to the Directory (tenant) ID of your organisation.',
    ])
  })

  it('takes private accounts alone', () => {
    expect(problems({ ENTRA_TENANT: PRIVATE })).toEqual([])
    expect(problems({ ENTRA_TENANT: `${CONTOSO},${PRIVATE}` })).toEqual([
      expect.stringMatching(/^ENTRA_TENANT: lists private Microsoft accounts beside/),
    ])
  })

  it('nOAuth: takes the word of the operator for domains of a single tenant alone', () => {
    const domains = { ENTRA_VERIFIED_DOMAINS: 'Example.com' }
    expect(load(entra(domains)).config.provider).toMatchObject({ verifiedDomains: ['example.com'] })
    expect(problems({ ...domains, ENTRA_TENANT: `${CONTOSO},${FABRIKAM}` })).toEqual([
      expect.stringMatching(/^ENTRA_VERIFIED_DOMAINS: needs a single tenant/),
    ])
  })

  it('security review 10, nOAuth: takes no word for domains of private accounts', () => {
    expect(problems({ ENTRA_VERIFIED_DOMAINS: 'example.com', ENTRA_TENANT: PRIVATE })).toEqual([
      expect.stringMatching(/^ENTRA_VERIFIED_DOMAINS: needs the tenant of an organisation/),
    ])
  })

  it('knows groups by id in any case, and with several tenants by their tenant', () => {
    const groupsOf = (env: Given['env']) => load(entra(env)).config.resources[0]?.allow.groups
    expect(groupsOf({ ALLOWED_GROUPS: `${GROUP.toUpperCase()},role:Editor,Sales` })).toEqual([
      GROUP,
      'role:Editor',
      'Sales',
    ])
    const both = { ENTRA_TENANT: `${CONTOSO},${FABRIKAM}` }
    const full = `${FABRIKAM.toUpperCase()}/${GROUP.toUpperCase()}`
    expect(groupsOf({ ...both, ALLOWED_GROUPS: full })).toEqual([`${FABRIKAM}/${GROUP}`])
    for (const group of [GROUP, 'role:Editor', `${PRIVATE}/${GROUP}`]) {
      expect(problems({ ...both, ALLOWED_GROUPS: group })).toEqual([
        `ALLOWED_GROUPS: "${group}" lacks its tenant. With several tenants in ENTRA_TENANT, write ${CONTOSO}/${group}.`,
      ])
    }
  })

  it.each([
    ['ISSUER_URL', 'https://login.microsoftonline.com/x/v2.0'],
    ['DISCOVERY_URL', 'https://id.example.com'],
    ['GROUPS_CLAIM', 'roles'],
    ['PROVIDER_TOKEN_CLIENTS', 'x'],
    ['KEYCLOAK_REALM', 'main'],
  ])('has no %s', (name, value) => {
    expect(problems({ [name]: value })).toEqual([
      expect.stringMatching(new RegExp(`^${name}: does not apply to PROVIDER=entra`)),
    ])
  })

  it.each([
    ['ALLOWED_USERS', 'ann', /has no user names that stay with a person/],
    ['ACCEPT_PROVIDER_TOKENS', 'true', /PROVIDER=oidc alone/],
    ['PROVIDER_SCOPES', 'email', /lacks openid/],
    ['GITHUB_URL', 'https://github.example.com', /applies only to PROVIDER=github/],
  ])('has no %s=%s', (name, value, problem) => {
    expect(problems({ [name]: value })).toEqual([expect.stringMatching(problem)])
  })

  it.each(['ENTRA_URL', 'ENTRA_GRAPH_URL'])('has %s with https, or on this machine', (name) => {
    const plain = { [name]: 'http://entra.corp.example' }
    expect(problems(plain)).toEqual([
      expect.stringMatching(`^${name}: is plain http beyond this machine`),
    ])
    expect(problems({ ...plain, DEV_MODE: 'true' })).toEqual([])
    expect(problems({ [name]: 'http://127.0.0.1:1', PROD_MODE: 'true' })).toEqual(
      expect.arrayContaining([expect.stringMatching(`^${name}: is plain http, which PROD_MODE`)]),
    )
  })
})

it.each([
  ['ENTRA_TENANT', CONTOSO],
  ['ENTRA_VERIFIED_DOMAINS', 'example.com'],
  ['ENTRA_URL', 'https://login.microsoftonline.us'],
  ['ENTRA_GRAPH_URL', 'https://graph.microsoft.us'],
])('%s with another provider is a problem', (name, value) => {
  const env = { PROVIDER: 'google', ...CLIENT, [name]: value }
  expect(problemsOf(() => load({ env, files: { '/srv/gatewarden.yaml': '' } }))).toEqual([
    `${name}: applies only to PROVIDER=entra. Remove it.`,
  ])
})
