import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import type { AllowList } from '../../src/resources/policy.ts'
import { createBrowser, refreshTarget } from '../support/browser.ts'
import { ANYONE, buildTestApp, createClock, resource, type TestApp } from '../support/build-app.ts'
import { afterTest } from '../support/clean-ups.ts'
import { ADMIN, type DirectoryStandIn, startDirectory } from '../support/google-directory.ts'
import { ANN, type GoogleStandIn, googleProvider, startGoogle } from '../support/google-stand-in.ts'
import { anHourAgo } from '../support/later.ts'
import { authorizeUrl, check, codeOf, redeem, register } from '../support/oauth-client.ts'
import { approve, isFailedSignIn, UNTRUSTED_REDIRECT } from '../support/provider-journey.ts'
import { storedRecords } from '../support/stored.ts'

const ACCOUNT = {
  id: ANN.sub,
  primaryEmail: ANN.email,
  name: { givenName: 'Ann', fullName: 'Ann Adams' },
  suspended: false,
  archived: false,
}
const NOBODY: AllowList = { anyone: false, emails: [], domains: [], groups: [] }

interface Workspace {
  readonly google: GoogleStandIn
  readonly directory: DirectoryStandIn
  readonly clock: ReturnType<typeof createClock>
  /** For `testConfig`. */
  readonly config: Partial<Config>
}

async function startWorkspace(allow: AllowList = ANYONE): Promise<Workspace> {
  const clock = createClock()
  const google = await startGoogle({ now: clock })
  afterTest(() => google.stop())
  const directory = await startDirectory(clock)
  directory.users[ANN.sub] = { ...ACCOUNT }
  const config = {
    provider: googleProvider(google, {
      directory: { ...directory.config, namedGroups: allow.groups },
    }),
    users: [],
    resources: [resource({ allow })],
  } as const
  return { google, directory, clock, config }
}

/** The page, or the way on, of a person who comes back. */
async function signIn({ google, config, clock }: Workspace) {
  const test = await buildTestApp(config, { clock })
  const client = await register(test.app, { redirect_uris: [UNTRUSTED_REDIRECT] })
  const browser = createBrowser(test.app)
  const url = authorizeUrl(client, { redirect_uri: UNTRUSTED_REDIRECT })
  const to = refreshTarget((await approve(browser, url)).body)
  return { test, answer: await browser.get(await google.choose(to, ANN)) }
}

const later = ({ google, config, clock }: Workspace) =>
  anHourAgo(config, (url) => google.choose(url, ANN), { clock })

const reasonOf = ({ logs }: TestApp) => logs.find(isFailedSignIn)?.reason

/** Answers below a path otherwise. */
const at =
  (path: string, status: number, body: unknown) =>
  (request: IncomingMessage, response: ServerResponse) => {
    if (!request.url?.startsWith(path)) return false
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
    return true
  }
const USERS = '/admin/directory/v1/users'
const GROUPS = '/admin/directory/v1/groups'

describe('sx4: a person of a Google Workspace with a service account', () => {
  it('is in the groups of the directory, by their addresses', async () => {
    const workspace = await startWorkspace({ ...NOBODY, groups: ['staff@example.com'] })
    const there = await later(workspace)
    await there.refresh()
    expect(await there.headers()).toMatchObject({
      'x-forwarded-user': 'ann@example.com',
      'x-forwarded-groups': 'staff@example.com',
    })
    expect(workspace.directory.asked.slice(0, 2)).toEqual([
      `${USERS}/${ANN.sub}`,
      `${GROUPS}?userKey=${ANN.sub}&maxResults=200`,
    ])
  })

  it.each([
    ['is suspended', { ...ACCOUNT, suspended: true }, 'the account is suspended at Google'],
    ['is archived', { ...ACCOUNT, archived: true }, 'the account is archived at Google'],
    ['was deleted', null, 'the directory of Google does not have the account'],
  ])(
    'T31: who %s is refused at the sign-in and at the next refresh',
    async (_what, user, reason) => {
      const workspace = await startWorkspace()
      const there = await later(workspace)
      workspace.directory.users[ANN.sub] = user
      expect((await there.refresh()).json().error).toBe('invalid_grant')
      expect(there.ended()).toEqual([reason])
      const { test, answer } = await signIn(workspace)
      expect(answer.statusCode).toBe(403)
      expect(answer.body).toContain('Your account cannot be used')
      expect(reasonOf(test)).toBe(reason)
    },
  )

  it('T31: whose account moved to a domain that GOOGLE_HOSTED_DOMAIN does not name is out at the next refresh', async () => {
    const workspace = await startWorkspace()
    const there = await later(workspace)
    workspace.directory.users[ANN.sub] = { ...ACCOUNT, primaryEmail: 'ann@sub.example.com' }
    expect((await there.refresh()).json().error).toBe('invalid_grant')
    expect(there.ended()).toEqual([
      'the account is managed by another organisation; GOOGLE_HOSTED_DOMAIN is example.com',
    ])
  })

  it('stays in where the directory spells their domain in another way', async () => {
    const workspace = await startWorkspace()
    const there = await later(workspace)
    workspace.directory.users[ANN.sub] = { ...ACCOUNT, primaryEmail: 'Ann@EXAMPLE.com' }
    expect((await there.refresh()).statusCode).toBe(200)
  })

  it('has the address, the name and the groups of now after a refresh', async () => {
    const workspace = await startWorkspace()
    const there = await later(workspace)
    workspace.directory.users[ANN.sub] = {
      ...ACCOUNT,
      primaryEmail: 'ann.new@example.com',
      name: { fullName: 'Ann New' },
    }
    workspace.directory.groups = ['cooks@example.com']
    await there.refresh()
    expect(await there.headers()).toMatchObject({
      'x-forwarded-email': 'ann.new@example.com',
      'x-user-name': 'Ann New',
      'x-forwarded-groups': 'cooks@example.com',
    })
  })

  it('who left the group of the list is out at the next refresh', async () => {
    const workspace = await startWorkspace({ ...NOBODY, groups: ['staff@example.com'] })
    const there = await later(workspace)
    workspace.directory.groups = []
    expect((await there.refresh()).json().error).toBe('invalid_grant')
  })

  it('is asked about without a token of their own: none is requested, none is stored', async () => {
    const workspace = await startWorkspace()
    const there = await later(workspace)
    await there.refresh()
    expect(there.sentTo.searchParams.get('access_type')).toBe(null)
    const records = await storedRecords(there.storage)
    const kept = Object.entries(records).filter(([key]) => key.startsWith('upstream:'))
    expect(kept).toHaveLength(1)
    expect(JSON.stringify(kept)).not.toContain('held')
    expect(JSON.stringify([records, there.logs])).not.toContain('ya29')
  })
})

describe('groups', () => {
  it('are read over all pages', async () => {
    const workspace = await startWorkspace()
    workspace.directory.groups = ['a@example.com', 'b@example.com', 'c@example.com']
    workspace.directory.pageSize = 2
    const there = await later(workspace)
    await there.refresh()
    expect((await there.headers())['x-forwarded-groups']).toBe(
      'a@example.com,b@example.com,c@example.com',
    )
  })

  it('beyond 200 count where a list names them', async () => {
    const workspace = await startWorkspace({ ...NOBODY, groups: ['g250@example.com'] })
    workspace.directory.groups = Array.from({ length: 300 }, (_, at) => `g${at}@example.com`)
    const there = await later(workspace)
    await there.refresh()
    expect((await there.headers())['x-forwarded-groups']).toBe('g250@example.com')
  })

  it('beyond 2,000 are too many', async () => {
    const workspace = await startWorkspace()
    workspace.directory.groups = Array.from({ length: 2001 }, (_, at) => `g${at}@example.com`)
    const { answer } = await signIn(workspace)
    expect(answer.statusCode).toBe(403)
    expect(answer.body).toContain('Your account is in too many groups')
    expect(workspace.directory.asked.filter((path) => path.startsWith(GROUPS))).toHaveLength(10)
  })

  it('that never end are given up', async () => {
    const workspace = await startWorkspace()
    workspace.directory.answer = at(GROUPS, 200, { groups: [], nextPageToken: 'again' })
    expect((await signIn(workspace)).answer.statusCode).toBe(403)
  })
})

describe('the service account', () => {
  it('asserts itself for the administrator, and uses a token for many questions', async () => {
    const workspace = await startWorkspace()
    const there = await later(workspace)
    await there.refresh()
    await there.refresh()
    const [first, second, ...more] = workspace.directory.assertions
    expect(first).toMatchObject({
      alg: 'RS256',
      kid: '0123456789abcdef',
      sub: ADMIN,
      aud: `${workspace.directory.url}/token`,
    })
    expect(Number(first?.exp) - Number(first?.iat)).toBe(300)
    // The second one an hour later, when the first token is too old.
    expect(second).toBeDefined()
    expect(more).toEqual([])
  })

  it('gets another token where the directory refuses the one that it has', async () => {
    const workspace = await startWorkspace()
    const there = await later(workspace)
    await there.refresh()
    workspace.directory.endTokens()
    there.clock.advance(120)
    expect((await there.refresh()).statusCode).toBe(200)
    expect(workspace.directory.assertions).toHaveLength(3)
  })
})

describe('a directory that cannot be asked', () => {
  const notDelegated = {
    error: 'unauthorized_client',
    error_description: 'Client is unauthorized to retrieve access tokens using this method.',
  }
  const forbidden = { error: { code: 403, message: 'Not Authorized to access this resource/api' } }
  const quota = { error: { code: 403, message: 'Quota exceeded for quota metric' } }
  const tooFast = {
    error: {
      code: 403,
      message: 'Request rate higher than configured.',
      errors: [{ domain: 'usageLimits', reason: 'quotaExceeded' }],
    },
  }

  it.each([
    [
      'no delegation',
      '/token',
      401,
      notDelegated,
      /refused the service account: unauthorized_client/,
    ],
    ['a token answer without a token', '/token', 200, {}, /cannot be read/],
    ['a token answer that is no JSON', '/token', 200, '<html>', /cannot be read/],
    ['an administrator without rights', USERS, 403, forbidden, /403 about the account: let GOOGLE/],
    ['groups that may not be read', GROUPS, 403, forbidden, /403 about groups/],
    ['a used-up quota', USERS, 403, quota, /quota of the directory is used up/],
    ['requests that are too many by their reason', USERS, 403, tooFast, /quota of the directory/],
    ['too many requests', USERS, 429, {}, /answered 429/],
    ['an outage', USERS, 503, {}, /answered 503/],
    ['an address where something else answers', USERS, 404, '<html>', /404 about the account/],
    ['another account', USERS, 200, { ...ACCOUNT, id: '1' }, /cannot be read/],
    ['an account without an id', USERS, 200, { primaryEmail: 'a@b.c' }, /cannot be read/],
    ['a state that is no boolean', USERS, 200, { ...ACCOUNT, suspended: 'no' }, /cannot be read/],
    [
      'an address that is none',
      USERS,
      200,
      { ...ACCOUNT, primaryEmail: 'a@b@c' },
      /cannot be read/,
    ],
    ['groups that are no list', GROUPS, 200, { groups: 'staff@example.com' }, /cannot be read/],
    ['a group without an address', GROUPS, 200, { groups: [{ name: 'x' }] }, /cannot be read/],
    ['a redirect', USERS, 302, {}, /302 about the account/],
  ])(
    'because of %s ends nothing, and lets nobody in',
    async (_what, path, status, body, reason) => {
      const workspace = await startWorkspace()
      const there = await later(workspace)
      workspace.directory.answer = at(path, status, body)
      const answer = await there.refresh()
      expect(answer.statusCode).toBe(503)
      expect(answer.headers['retry-after']).toBe('5')
      expect(there.ended()).toEqual([])
      const failed = there.logs.find(({ event }) => event === 'provider-failed')
      expect(String(failed?.reason)).toMatch(reason)
      const tried = await signIn(workspace)
      expect([502, 503]).toContain(tried.answer.statusCode)
      expect(JSON.stringify([there.logs, tried.test.logs])).not.toMatch(/ya29|eyJ|PRIVATE KEY/)
      workspace.directory.answer = undefined
      there.clock.advance(10)
      expect((await there.refresh()).statusCode).toBe(200)
    },
  )
})

it('an account of another Workspace is refused before the directory is asked', async () => {
  const workspace = await startWorkspace()
  workspace.google.claims = { hd: 'other.example' }
  expect((await signIn(workspace)).answer.statusCode).toBe(403)
  expect(workspace.directory.asked).toEqual([])
})

it('a person whom the browser knows is asked about as well', async () => {
  const workspace = await startWorkspace()
  const { google, config, clock, directory } = workspace
  const { app } = await buildTestApp(config, { clock })
  const browser = createBrowser(app)
  const client = await register(app)
  for (const isSuspended of [false, true]) {
    directory.users[ANN.sub] = { ...ACCOUNT, suspended: isSuspended }
    const to = refreshTarget((await approve(browser, authorizeUrl(client))).body)
    const back = await browser.get(await google.choose(to, ANN))
    if (isSuspended) expect(String(back.headers.location)).toContain('error=access_denied')
    else expect((await redeem(app, client, codeOf(back))).statusCode).toBe(200)
  }
  expect((await check(app, {})).statusCode).toBe(401)
})
