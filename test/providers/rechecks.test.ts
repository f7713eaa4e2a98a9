import { expect, it } from 'vitest'
import type { AllowList } from '../../src/resources/policy.ts'
import { resource } from '../support/build-app.ts'
import { COOKS, STAFF, startEntra } from '../support/entra-stand-in.ts'
import { startGithub } from '../support/github-stand-in.ts'
import { ANN, googleProvider, startGoogle } from '../support/google-stand-in.ts'
import { anHourAgo } from '../support/later.ts'
import { storedRecords } from '../support/stored.ts'

const rechecks = true as const

const allowing = (allow: Partial<AllowList>) => ({
  resources: [
    resource({ allow: { anyone: false, emails: [], domains: [], groups: [], ...allow } }),
  ],
})

async function atGithub(allow: Partial<AllowList> = { groups: ['acme/backend', 'acme'] }) {
  const github = await startGithub()
  const start = () =>
    anHourAgo({ provider: { ...github.config, rechecks }, ...allowing(allow) }, github.signIn)
  return { github, start }
}

it('GitHub says at a refresh in which teams a person is now', async () => {
  const { github, start } = await atGithub()
  const later = await start()
  expect((await later.refresh()).statusCode).toBe(200)
  expect((await later.headers())['x-forwarded-groups']).toBe('acme,acme/backend')
  later.clock.advance(3600)
  github.account.teams = []
  expect((await later.refresh()).statusCode).toBe(200)
  expect((await later.headers())['x-forwarded-groups']).toBe('acme')
  later.clock.advance(3600)
  github.account.organisations = []
  expect((await later.refresh()).json().error).toBe('invalid_grant')
  expect(later.ended()).toEqual(['the person is on no list of the server any more'])
})

it.each([
  [
    'withdrew the token',
    'GitHub answered 401 to /user: the token has ended',
    (github: Awaited<ReturnType<typeof startGithub>>) => github.endTokens(),
  ],
  [
    'was suspended',
    'GitHub says that the account is suspended',
    (github: Awaited<ReturnType<typeof startGithub>>) => {
      github.answer = (request, response) => {
        if (!request.url?.startsWith('/user')) return false
        response.writeHead(403, { 'content-type': 'application/json' })
        response.end('{"message":"Sorry. Your account was suspended."}')
        return true
      }
    },
  ],
])('T31: a person of GitHub who %s is out at the next refresh', async (_what, reason, change) => {
  const { github, start } = await atGithub()
  const later = await start()
  change(github)
  expect((await later.refresh()).json().error).toBe('invalid_grant')
  expect(later.ended()).toEqual([reason])
})

it.each([
  ['has no rate left', 403, { 'x-ratelimit-remaining': '0' }],
  ['does not show the person', 404, {}],
  ['fails', 502, {}],
])('a GitHub that %s ends nothing', async (_what, status, headers: Record<string, string>) => {
  const { github, start } = await atGithub()
  const later = await start()
  github.answer = (request, response) => {
    if (!request.url?.startsWith('/user')) return false
    response.writeHead(status, headers).end('{}')
    return true
  }
  expect((await later.refresh()).statusCode).toBe(503)
  expect(later.ended()).toEqual([])
  github.answer = undefined
  later.clock.advance(5)
  expect((await later.refresh()).statusCode).toBe(200)
})

it('tokens of a GitHub App are renewed, each once', async () => {
  const { github, start } = await atGithub()
  github.expires = true
  const later = await start()
  for (const hours of [8, 8]) {
    later.clock.advance(hours * 3600)
    github.endTokens()
    expect((await later.refresh()).statusCode).toBe(200)
  }
  const renewed = github.redeemed.map((form) => form.get('refresh_token')).slice(1)
  expect(new Set(renewed).size).toBe(2)
  const stored = JSON.stringify([await storedRecords(later.storage), later.logs])
  expect(stored).not.toMatch(/gh[or]_/)
})

it('a token of a GitHub App that renews nothing any more ends the permission', async () => {
  const { github, start } = await atGithub()
  github.expires = true
  const later = await start()
  later.clock.advance(8 * 3600)
  github.answer = (request, response) => {
    if (request.url !== '/login/oauth/access_token') return false
    response.end('{"error":"bad_refresh_token"}')
    return true
  }
  expect((await later.refresh()).json().error).toBe('invalid_grant')
  expect(later.ended()[0]).toContain('bad_refresh_token')
})

it('GitHub cannot put another account in the place of the person', async () => {
  const { github, start } = await atGithub()
  const later = await start()
  github.account.id = 1
  expect((await later.refresh()).statusCode).toBe(503)
})

it('Entra says at a refresh in which groups a person is now, and that they are blocked', async () => {
  const entra = await startEntra()
  entra.person.groups = [STAFF]
  const later = await anHourAgo(
    { provider: { ...entra.config, rechecks }, ...allowing({ groups: [STAFF, COOKS] }) },
    entra.signIn,
  )
  const query = later.sentTo.searchParams
  expect(query.get('scope')).toBe('openid email profile offline_access')
  expect(query.get('prompt')).toBe(null)
  entra.person.groups = [COOKS]
  expect((await later.refresh()).statusCode).toBe(200)
  expect((await later.headers())['x-forwarded-groups']).toBe(COOKS)
  later.clock.advance(3600)
  entra.isDisabled = true
  expect((await later.refresh()).json().error).toBe('invalid_grant')
  expect(later.ended()).toEqual([
    'the provider refused: invalid_grant, AADSTS50057: The user account is disabled.',
  ])
})

async function atGoogle() {
  const google = await startGoogle()
  const later = await anHourAgo(
    {
      provider: googleProvider(google, { rechecks }),
    },
    (url) => google.choose(url, ANN),
  )
  return { google, later }
}

it('Google is asked for a token that lasts, and says at a refresh that an account was closed', async () => {
  const { google, later } = await atGoogle()
  const query = later.sentTo.searchParams
  expect(query.get('access_type')).toBe('offline')
  expect(query.get('prompt')).toBe('select_account consent')
  expect(query.get('scope')).toBe('openid email profile')
  expect((await later.refresh()).statusCode).toBe(200)
  later.clock.advance(3600)
  google.disabled = [ANN]
  expect((await later.refresh()).json().error).toBe('invalid_grant')
  await google.stop()
})

it('an account that left the organisation is out at the next refresh', async () => {
  const { google, later } = await atGoogle()
  google.claims = { hd: 'other.example' }
  expect((await later.refresh()).json().error).toBe('invalid_grant')
  expect(later.ended()).toEqual([
    'the account is managed by another organisation; GOOGLE_HOSTED_DOMAIN is example.com',
  ])
  await google.stop()
})
