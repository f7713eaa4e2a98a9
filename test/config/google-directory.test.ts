import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type Given, load, problemsOf } from './harness.ts'

const rsa = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
}).privateKey
const ec = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
}).privateKey

const KEY = {
  type: 'service_account',
  project_id: 'project',
  private_key_id: '0123456789abcdef',
  private_key: rsa,
  client_email: 'gatewarden@project.iam.gserviceaccount.com',
  token_uri: 'https://oauth2.googleapis.com/token',
}
const GOOGLE = {
  PROVIDER: 'google',
  CLIENT_ID: '407.apps.googleusercontent.com',
  CLIENT_SECRET: 'GOCSPX-nU0o7QpY1xJ4rTz8vKcW3mBd',
  GOOGLE_HOSTED_DOMAIN: 'example.com',
}
const DIRECTORY = {
  GOOGLE_SERVICE_ACCOUNT_FILE: '/run/google.json',
  GOOGLE_ADMIN_SUBJECT: 'Reader@example.com',
}

const given = (env: Given['env'] = {}, key: unknown = KEY): Given => ({
  env: { ...GOOGLE, ...DIRECTORY, ...env },
  files: { '/run/google.json': JSON.stringify(key, null, 2), '/srv/gatewarden.yaml': '' },
})
const problems = (env?: Given['env'], key?: unknown) => problemsOf(() => load(given(env, key)))

function directoryOf(env?: Given['env']) {
  const { provider } = load(given(env)).config
  return 'directory' in provider ? provider.directory : undefined
}

describe('GOOGLE_SERVICE_ACCOUNT', () => {
  it('is the file that Google makes, and reads its directory', () => {
    expect(directoryOf()).toEqual({
      url: 'https://admin.googleapis.com',
      tokenUrl: KEY.token_uri,
      clientEmail: KEY.client_email,
      keyId: KEY.private_key_id,
      privateKey: expect.objectContaining({ asymmetricKeyType: 'rsa' }),
      subject: expect.stringMatching(/^reader@example\.com$/i),
      namedGroups: [],
    })
    expect(load(given()).warnings).toEqual([])
  })

  it('acts for an administrator, never for itself', () => {
    expect(problems({ GOOGLE_ADMIN_SUBJECT: KEY.client_email })).toEqual([
      expect.stringMatching(/^GOOGLE_ADMIN_SUBJECT: is the service account itself\./),
    ])
  })

  it.each([
    ['JSON', JSON.stringify(KEY)],
    ['base64', Buffer.from(JSON.stringify(KEY)).toString('base64')],
  ])('may stand in the environment itself, as %s', (_form, value) => {
    const env = { GOOGLE_SERVICE_ACCOUNT_FILE: undefined, GOOGLE_SERVICE_ACCOUNT: value }
    expect(directoryOf(env)?.clientEmail).toBe(KEY.client_email)
  })

  it('makes groups count, by their addresses in any case', () => {
    const { config } = load(
      given({ ALLOWED_GROUPS: 'Staff@Example.com', ALLOWED_EMAILS: undefined }),
    )
    expect(config.resources[0]?.allow.groups).toEqual(['staff@example.com'])
    expect(config.provider).toMatchObject({ directory: { namedGroups: ['staff@example.com'] } })
    expect(problems({ ALLOWED_GROUPS: 'staff' })).toEqual([
      expect.stringMatching(/^ALLOWED_GROUPS: .*staff.* is no address of a group/),
    ])
  })

  it.each([
    [
      'a path',
      '/run/google.json',
      /looks like a path. Name the file in GOOGLE_SERVICE_ACCOUNT_FILE/,
    ],
    ['something else', 'x'.repeat(40), /is no key file of a service account/],
    [
      'a client',
      JSON.stringify({ web: { client_id: 'x' } }),
      /is no key file of a service account/,
    ],
    ['another kind', JSON.stringify({ ...KEY, type: 'authorized_user' }), /is no key file/],
    ['an EC key', JSON.stringify({ ...KEY, private_key: ec }), /no RSA key in PEM/],
    ['no key', JSON.stringify({ ...KEY, private_key: 'x' }), /no RSA key in PEM/],
    ['plain http', JSON.stringify({ ...KEY, token_uri: 'http://a.example/t' }), /not https/],
  ])('that is %s is a problem, and is not shown', (_what, value, problem) => {
    const found = problems({
      GOOGLE_SERVICE_ACCOUNT_FILE: undefined,
      GOOGLE_SERVICE_ACCOUNT: value,
    })
    expect(found).toEqual([expect.stringMatching(problem)])
    expect(found.join()).not.toContain('BEGIN')
  })

  it.each([
    [{ GOOGLE_ADMIN_SUBJECT: undefined }, /^GOOGLE_ADMIN_SUBJECT: is missing/],
    [{ GOOGLE_SERVICE_ACCOUNT_FILE: undefined }, /^GOOGLE_SERVICE_ACCOUNT: is missing/],
    [{ GOOGLE_HOSTED_DOMAIN: undefined }, /^GOOGLE_HOSTED_DOMAIN: is missing/],
    [{ GROUPS_CLAIM: 'hd' }, /^GROUPS_CLAIM: conflicts with GOOGLE_SERVICE_ACCOUNT/],
    [{ GOOGLE_DIRECTORY_URL: 'http://a.example' }, /^GOOGLE_DIRECTORY_URL: is plain http/],
    [{ GOOGLE_ADMIN_SUBJECT: 'reader' }, /^GOOGLE_ADMIN_SUBJECT: .* is not an e-mail address/],
  ])('with %j is a problem', (env, problem) => {
    expect(problems(env)).toEqual([expect.stringMatching(problem)])
  })

  it('belongs to PROVIDER=google', () => {
    const keycloak = {
      PROVIDER: 'keycloak',
      ISSUER_URL: 'https://id.example.com/realms/main',
      GOOGLE_HOSTED_DOMAIN: undefined,
    }
    expect(problems(keycloak)).toEqual([
      'GOOGLE_SERVICE_ACCOUNT_FILE: applies only to PROVIDER=google. Remove it.',
      'GOOGLE_ADMIN_SUBJECT: applies only to PROVIDER=google. Remove it.',
    ])
  })

  it('refuses plain http under PROD_MODE', () => {
    const env = {
      GOOGLE_DIRECTORY_URL: 'http://127.0.0.1:9',
      PROD_MODE: 'true',
      SECRET: 'k7PpS1nqvB3zWm8dYx5Lr2Tj9cUe4GhA',
    }
    const loopback = { ...KEY, token_uri: 'http://127.0.0.1:9/token' }
    expect(problems(env, loopback)).toEqual([
      'GOOGLE_DIRECTORY_URL: has a plain http address, which PROD_MODE refuses. Use https.',
      'GOOGLE_SERVICE_ACCOUNT: has a plain http address, which PROD_MODE refuses. Use https.',
    ])
  })
})
