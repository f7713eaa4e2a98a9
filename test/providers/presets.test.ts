import { describe, expect, it } from 'vitest'
import { PRESETS } from '../../src/providers/presets.ts'
import { start } from '../config/effects/start.ts'
import { type Given, load, problemsOf } from '../config/harness.ts'
import { createBrowser, refreshTarget } from '../support/browser.ts'
import {
  CLIENT_ID,
  CLIENT_SECRET,
  type HostileProvider,
  startHostileProvider,
} from '../support/hostile-provider.ts'
import { authorizeUrl, check, register } from '../support/oauth-client.ts'
import { approve, obtainTokensThere } from '../support/provider-journey.ts'

const CLIENT = { CLIENT_ID: 'x', CLIENT_SECRET: 'nU0o7QpY1xJ4rTz8vKcW3mBd' }
const FILES = { '/srv/gatewarden.yaml': '' }
const loaded = (env: Given['env']) => load({ env: { ...CLIENT, ...env }, files: FILES })
const problems = (env: Given['env']) => problemsOf(() => loaded(env))

describe('a preset', () => {
  it.each(Object.entries(PRESETS))(
    '%s starts with its issuer, without a warning',
    (type, preset) => {
      const { config, warnings } = loaded({ PROVIDER: type, ISSUER_URL: preset.issuerExample })
      expect(warnings).toEqual([])
      expect(config.provider).toMatchObject({ type, id: type, issuerUrl: preset.issuerExample })
    },
  )

  it.each(Object.entries(PRESETS).filter(([, { issuerUrl }]) => issuerUrl === undefined))(
    '%s needs an issuer, and the problem shows its form',
    (type, preset) => {
      expect(problems({ PROVIDER: type })).toEqual([
        `ISSUER_URL: is missing, and PROVIDER=${type} needs it. Set it to the issuer, such as ${preset.issuerExample}.`,
      ])
    },
  )

  it('is the hosted service without an issuer, where there is one', () => {
    expect(loaded({ PROVIDER: 'gitlab' }).config.provider).toMatchObject({
      issuerUrl: 'https://gitlab.com',
    })
  })

  it.each([
    ['okta', 'https://my-org-admin.okta.com', /is the admin console/],
    ['authentik', 'https://authentik.example.com', /is not the issuer of an application/],
    ['authentik', 'https://authentik.example.com/application/o', /is not the issuer of an appl/],
  ])('%s knows a wrong issuer: %s', (type, issuer, problem) => {
    expect(problems({ PROVIDER: type, ISSUER_URL: issuer })).toEqual([
      expect.stringMatching(problem),
    ])
  })

  it('authentik takes a global issuer with the address of the document', () => {
    const host = 'https://authentik.example.com'
    const DISCOVERY_URL = `${host}/application/o/gatewarden/`
    expect(problems({ PROVIDER: 'authentik', ISSUER_URL: host, DISCOVERY_URL })).toEqual([])
  })

  it.each([
    ['okta', 'https://my-org.okta.com', ['openid', 'email', 'profile', 'groups']],
    ['okta', 'https://my-org.okta.com/oauth2/default', undefined],
    ['authelia', 'https://login.example.com', ['openid', 'email', 'profile', 'groups']],
    ['gitlab', 'https://gitlab.example.com', undefined],
  ])('%s at %s asks for %j', (type, issuer, scopes) => {
    const { provider } = loaded({ PROVIDER: type, ISSUER_URL: issuer }).config
    expect('scopes' in provider ? provider.scopes : undefined).toEqual(scopes)
  })

  it.each(Object.keys(PRESETS))(
    'T39: %s gives names that are unique only if the operator says so',
    (type) => {
      const env = { PROVIDER: type, ISSUER_URL: issuerOf(type), ALLOWED_USERS: 'ann' }
      expect(problems(env)).toEqual([expect.stringContaining('set UNIQUE_USERNAMES=true')])
      expect(problems({ ...env, UNIQUE_USERNAMES: 'true' })).toEqual([])
    },
  )

  it('yields to settings of the operator', () => {
    const { provider } = loaded({
      PROVIDER: 'zitadel',
      ISSUER_URL: 'https://id.example.com',
      GROUPS_CLAIM: 'roles',
      PROVIDER_SCOPES: 'openid,roles',
    }).config
    expect(provider).toMatchObject({ groupsClaim: 'roles', scopes: ['openid', 'roles'] })
  })
})

const issuerOf = (type: string) =>
  Object.entries(PRESETS).find(([name]) => name === type)?.[1].issuerExample

/** The identity that a server is told of a person of this preset. */
async function headersAt(type: string, prepare: (provider: HostileProvider) => void) {
  const provider = await startHostileProvider()
  prepare(provider)
  const test = await start({
    PROVIDER: type,
    ISSUER_URL: provider.issuer,
    CLIENT_ID,
    CLIENT_SECRET,
    ALLOWED_EMAILS: '*',
  })
  const client = await register(test.app)
  const tokens = await obtainTokensThere({ ...test, provider, client, untrusted: client })
  return (await check(test.app, { authorization: `Bearer ${tokens.access_token}` })).headers
}

describe('a person of a preset', () => {
  const ROLES = 'urn:zitadel:iam:org:project:roles'

  it('of ZITADEL is in a group for each role', async () => {
    const headers = await headersAt('zitadel', ({ person }) => {
      person[ROLES] = { editor: { 3123: 'a.example' }, 'read,er': { 3123: 'a.example' } }
    })
    expect(headers['x-forwarded-groups']).toBe('editor,read%2Cer')
  })

  it.each<[unknown, string]>([
    [undefined, ''],
    [null, ''],
    [{}, ''],
    [7, ''],
    ['editor', 'editor'],
    [['editor'], 'editor'],
  ])('of ZITADEL with the roles %j is in the groups %j', async (roles, groups) => {
    const headers = await headersAt('zitadel', ({ person }) => {
      person[ROLES] = roles
    })
    expect(headers['x-forwarded-groups']).toBe(groups)
  })

  it('of another provider is in no group for an object, whose keys may be anything', async () => {
    const headers = await headersAt('pocket-id', ({ person }) => {
      person.groups = { admin: {} }
    })
    expect(headers['x-forwarded-groups']).toBe('')
  })

  it('of Authelia is known by userinfo', async () => {
    const headers = await headersAt('authelia', (provider) => {
      const { sub, ...rest } = provider.person
      provider.person = { sub }
      provider.userinfo = rest
    })
    expect(headers).toMatchObject({
      'x-forwarded-user': 'ann@example.com',
      'x-forwarded-groups': 'staff',
    })
  })

  it('is sent there with the scopes of the preset', async () => {
    const provider = await startHostileProvider()
    const { app } = await start({
      PROVIDER: 'pocket-id',
      ISSUER_URL: provider.issuer,
      CLIENT_ID,
      CLIENT_SECRET,
    })
    const approved = await approve(createBrowser(app), authorizeUrl(await register(app)))
    const sent = new URL(refreshTarget(approved.body)).searchParams
    expect(sent.get('scope')).toBe('openid email profile groups')
  })
})
