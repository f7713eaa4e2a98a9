import { describe, expect, it } from 'vitest'
import { type Given, load, problemsOf } from './harness.ts'

const OIDC = {
  PROVIDER: 'oidc',
  ISSUER_URL: 'https://id.example.com',
  CLIENT_ID: 'gatewarden',
  CLIENT_SECRET: 'from-the-provider',
}
const KEYCLOAK = {
  PROVIDER: 'keycloak',
  CLIENT_ID: 'gatewarden',
  CLIENT_SECRET: 'from-the-provider',
}
/** Without the harness' users, which no other provider has a use for. */
const NOBODY = { '/srv/gatewarden.yaml': '' }

const loadWith = (env: Given['env'], given: Given = {}) =>
  load({ files: NOBODY, ...given, env: { ...env, ...given.env } })
const problems = (env: Given['env']) => problemsOf(() => loadWith(env))

describe('an OpenID Connect provider', () => {
  it('is its issuer, our credentials there, and the claim of the groups', () => {
    const { config, warnings } = loadWith(OIDC)
    expect(config.provider).toEqual({
      type: 'oidc',
      id: 'oidc',
      issuerUrl: 'https://id.example.com',
      clientId: 'gatewarden',
      clientSecret: 'from-the-provider',
      groupsClaim: 'groups',
      allowInsecure: false,
    })
    expect(warnings).toEqual([])
  })

  it('is found at an issuer without the slash at its end', () => {
    const { config } = loadWith({ ...OIDC, ISSUER_URL: 'https://ID.example.com/tenant/' })
    expect(config.provider).toMatchObject({ issuerUrl: 'https://id.example.com/tenant' })
  })

  it('reads its groups from the claim that GROUPS_CLAIM names', () => {
    const { config } = loadWith({ ...OIDC, GROUPS_CLAIM: 'https://example.com/teams' })
    expect(config.provider).toMatchObject({ groupsClaim: 'https://example.com/teams' })
  })

  it('takes its secret from a file and never shows it', () => {
    const files = { ...NOBODY, '/run/secrets/oidc': 'in-a-file\n' }
    const env = { CLIENT_SECRET: undefined, CLIENT_SECRET_FILE: '/run/secrets/oidc' }
    const { config, sources } = loadWith(OIDC, { env, files })
    expect(config.provider).toMatchObject({ clientSecret: 'in-a-file' })
    expect(JSON.stringify(sources)).not.toContain('in-a-file')
  })

  it.each(['ISSUER_URL', 'CLIENT_ID', 'CLIENT_SECRET'])('needs %s, and says so', (name) => {
    expect(problems({ ...OIDC, [name]: undefined })).toEqual([
      expect.stringMatching(new RegExp(`^${name}: is missing, and PROVIDER=oidc needs it\\. `)),
    ])
  })

  it.each([
    'id.example.com',
    'https://id.example.com/.well-known/openid-configuration',
    'https://id.example.com/?tenant=1',
    'https://user@id.example.com',
    'https://*.example.com',
    'ftp://id.example.com',
  ])('has no issuer like %s', (value) => {
    expect(problems({ ...OIDC, ISSUER_URL: value })).toEqual([
      expect.stringMatching(/^ISSUER_URL: /),
    ])
  })

  it.each(['http://localhost:8080/realms/main', 'http://127.0.0.1:8080', 'http://[::1]'])(
    'may be plain http on this machine: %s',
    (value) => {
      const { config, warnings } = loadWith({ ...OIDC, ISSUER_URL: value })
      expect(config.provider).toMatchObject({ issuerUrl: value, allowInsecure: true })
      expect(warnings).toEqual([])
    },
  )

  it('may be plain http elsewhere only with DEV_MODE, and is warned of', () => {
    const env = { ...OIDC, ISSUER_URL: 'http://keycloak:8080/realms/main' }
    expect(problems(env)).toEqual([
      'ISSUER_URL: is plain http beyond this machine. Use https, or set DEV_MODE=true to try it out on a network you trust.',
    ])
    const { config, warnings } = loadWith({ ...env, DEV_MODE: 'true' })
    expect(config.provider).toMatchObject({ allowInsecure: true })
    expect(warnings).toContain(
      'ISSUER_URL: is plain http: everyone on the network can log in as anyone.',
    )
  })

  it("makes the file's users mean nothing, and says so", () => {
    expect(load({ env: OIDC }).warnings).toEqual([
      'users: has no effect, because PROVIDER is oidc.',
    ])
  })

  it('means nothing beside the built-in login, and says so', () => {
    expect(load({ env: { ...OIDC, PROVIDER: 'builtin' } }).warnings).toEqual([
      'ISSUER_URL: has no effect, because PROVIDER is builtin.',
      'CLIENT_ID: has no effect, because PROVIDER is builtin.',
      'CLIENT_SECRET: has no effect, because PROVIDER is builtin.',
    ])
  })

  it("refuses Keycloak's own settings", () => {
    expect(problems({ ...OIDC, KEYCLOAK_REALM: 'main' })).toEqual([
      'KEYCLOAK_REALM: is for PROVIDER=keycloak. Use ISSUER_URL, or remove it.',
    ])
  })
})

describe('a Keycloak', () => {
  it.each([
    [{ KEYCLOAK_AUTH_HOST: 'id.example.com' }, 'https://id.example.com:8080/realms/master'],
    [{ KEYCLOAK_REALM: 'main' }, 'https://localhost:8080/realms/main'],
    [
      { KEYCLOAK_AUTH_HOST: 'id.example.com', KEYCLOAK_AUTH_PORT: '443', KEYCLOAK_REALM: 'main' },
      'https://id.example.com/realms/main',
    ],
    [
      { KEYCLOAK_AUTH_HOST: 'localhost', KEYCLOAK_AUTH_PORT: '80', KEYCLOAK_AUTH_PROTOCOL: 'HTTP' },
      'http://localhost/realms/master',
    ],
    [
      { KEYCLOAK_AUTH_HOST: '127.0.0.1', KEYCLOAK_PROTOCOL: 'http' },
      'http://127.0.0.1:8080/realms/master',
    ],
    [{ ISSUER_URL: 'https://id.example.com/realms/main/' }, 'https://id.example.com/realms/main'],
  ])('is found by %o', (env, issuerUrl) => {
    expect(loadWith({ ...KEYCLOAK, ...env }).config.provider).toMatchObject({
      type: 'keycloak',
      id: 'keycloak',
      issuerUrl,
    })
  })

  it("takes S0's flags", () => {
    const argv = ['-keycloakAuthHost', 'id.example.com', '-keycloakAuthPort', '443']
    expect(loadWith(KEYCLOAK, { argv }).config.provider).toMatchObject({
      issuerUrl: 'https://id.example.com/realms/master',
    })
  })

  it('needs an address', () => {
    expect(problems(KEYCLOAK)).toEqual([
      'ISSUER_URL: is missing, and PROVIDER=keycloak needs it. Set it to the issuer, such as https://id.example.com/realms/main, or set KEYCLOAK_AUTH_HOST.',
    ])
  })

  it('has one address', () => {
    expect(
      problems({ ...KEYCLOAK, ISSUER_URL: 'https://a.example', KEYCLOAK_AUTH_HOST: 'b.example' }),
    ).toEqual(['KEYCLOAK_AUTH_HOST: stands beside ISSUER_URL. Remove one of the two.'])
  })

  it('is not spoken to in plain http beyond this machine', () => {
    expect(
      problems({ ...KEYCLOAK, KEYCLOAK_AUTH_HOST: 'keycloak', KEYCLOAK_AUTH_PROTOCOL: 'http' }),
    ).toEqual([expect.stringMatching(/^KEYCLOAK_AUTH_PROTOCOL: is plain http beyond/)])
  })

  it.each([
    ['KEYCLOAK_AUTH_HOST', 'https://id.example.com'],
    ['KEYCLOAK_AUTH_HOST', 'id.example.com/auth'],
    ['KEYCLOAK_AUTH_PORT', 'eighty'],
    ['KEYCLOAK_AUTH_PROTOCOL', 'ftp'],
    ['KEYCLOAK_REALM', 'main/../master'],
    ['KEYCLOAK_REALM', '..'],
  ])('refuses %s=%s', (name, value) => {
    expect(problems({ ...KEYCLOAK, KEYCLOAK_AUTH_HOST: 'a.example', [name]: value })).toEqual([
      expect.stringMatching(new RegExp(`^${name}: `)),
    ])
  })
})

describe('providers in the file', () => {
  const yaml = (text: string): Given => ({ files: { '/srv/gatewarden.yaml': text } })
  const ONE =
    'providers:\n  corp: { type: keycloak, issuer_url: https://id.example.com/realms/main, client_id: gatewarden, client_secret_file: kc, groups_claim: teams }\n'

  it('are another way to write the one provider, under a name of its own', () => {
    const files = { '/srv/gatewarden.yaml': ONE, '/srv/kc': 'in-a-file' }
    expect(load({ files }).config.provider).toEqual({
      type: 'keycloak',
      id: 'corp',
      issuerUrl: 'https://id.example.com/realms/main',
      clientId: 'gatewarden',
      clientSecret: 'in-a-file',
      groupsClaim: 'teams',
      allowInsecure: false,
    })
  })

  it('give way to the environment', () => {
    const files = { '/srv/gatewarden.yaml': ONE, '/srv/kc': 'in-a-file' }
    const { config } = load({ files, env: { ISSUER_URL: 'https://other.example' } })
    expect(config.provider).toMatchObject({ issuerUrl: 'https://other.example' })
  })

  it.each([
    ['providers: []', 'providers: must be a map of one. Write it as `keycloak: { type: ... }`.'],
    ['providers: {}', 'providers: must be a map of one. Write it as `keycloak: { type: ... }`.'],
    [
      'providers: { a: { type: oidc }, b: { type: oidc } }',
      'providers: this version has one provider at a time. Remove all but one.',
    ],
    [
      'providers: { "a b": { type: oidc } }',
      'providers: has a name with other than letters, digits and . _ -. Rename it.',
    ],
  ])('are refused like %s', (text, problem) => {
    expect(problemsOf(() => load(yaml(text)))).toContain(problem)
  })

  it('say what is wrong by the place it stands at', () => {
    const text =
      'provider: oidc\nproviders: { corp: { type: saml, issuer_ur: x, client_id: c, client_secret: s } }\n'
    expect(problemsOf(() => load(yaml(text)))).toEqual(
      expect.arrayContaining([
        'providers.corp.issuer_ur: is not a setting. Did you mean issuer_url?',
        'provider: stands beside providers.corp.type. Remove one of the two.',
      ]),
    )
    expect(problemsOf(() => load(yaml('providers: { corp: { client_id: c } }\n')))).toContain(
      'providers.corp.type: is missing. Write keycloak or oidc.',
    )
  })
})
