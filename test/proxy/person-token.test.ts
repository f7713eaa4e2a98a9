/** sb17, T8: the provider's token of a person on its way to the server behind (decision 0072). */
import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { sha256 } from '../../src/crypto.ts'
import { DEFAULT_PASS_THROUGH } from '../../src/resources/pass-through.ts'
import type { ResourceConfig } from '../../src/resources/resource-table.ts'
import { createBrowser, formAction, hiddenField, refreshTarget } from '../support/browser.ts'
import { ANYONE, resource } from '../support/build-app.ts'
import { startGithub } from '../support/github-stand-in.ts'
import { type HostileProvider, startHostileProvider } from '../support/hostile-provider.ts'
import { anHourAgo } from '../support/later.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  type RegisteredClient,
  redeem,
  refresh,
  register,
  revoke,
} from '../support/oauth-client.ts'
import {
  approve,
  asking,
  type Journey,
  obtainTokensThere,
  startJourney,
} from '../support/provider-journey.ts'
import { startReplicas } from '../support/replicas.ts'
import { storedRecords } from '../support/stored.ts'
import { linesOf, startUpstream, type UpstreamServer } from '../support/upstream-server.ts'

/** Seconds that a token of the provider lives. */
const LIFETIME = 300
const HEADER = 'X-Provider-Token'

/** A provider whose access tokens are numbered. */
async function startNumbering(): Promise<HostileProvider> {
  const provider = await startHostileProvider()
  let number = 0
  provider.issues = async () => {
    number += 1
    return `token-${number}`
  }
  provider.lies.tokens = (answer) => Object.assign(answer, { expires_in: LIFETIME })
  return provider
}

interface Behind extends Journey {
  readonly upstream: UpstreamServer
  /** The values of the header in a request that passes with this token. */
  send(accessToken: string, headers?: Record<string, string>): Promise<readonly string[]>
}

const behind = (upstream: UpstreamServer, header: string | undefined): ResourceConfig =>
  resource({
    allow: ANYONE,
    upstream: upstream.origin,
    passThrough: {
      ...DEFAULT_PASS_THROUGH,
      ...(header !== undefined && { personTokenHeader: header }),
    },
  })

async function startBehind(header = HEADER, changes: Partial<Config> = {}): Promise<Behind> {
  const provider = await startNumbering()
  const upstream = await startUpstream((_request, response) => response.end('ok'))
  const config = { ...provider.config, rechecks: true as const }
  const journey = await startJourney(
    { provider: config, resources: [behind(upstream, header)], ...changes },
    provider,
  )
  return { ...journey, upstream, send: sender(journey, upstream, header) }
}

const sender =
  ({ app }: Pick<Journey, 'app'>, { requests }: UpstreamServer, header: string) =>
  async (accessToken: string, headers: Record<string, string> = {}) => {
    const before = requests.length
    const answer = await app.inject({
      method: 'POST',
      url: '/notes/mcp',
      headers: { host: 'mcp.example.com', authorization: `Bearer ${accessToken}`, ...headers },
    })
    const request = requests[before]
    if (!request) throw new Error(`nothing arrived: ${answer.statusCode} ${answer.body}`)
    return linesOf(request, header)
  }

const leftOut = ({ events }: Pick<Journey, 'events'>) =>
  events.filter(({ event }) => event === 'person-token-left-out')

describe('the token of the person', () => {
  it('arrives in a header of its own, and no other credential does', async () => {
    const behind = await startBehind()
    const { access_token } = await obtainTokensThere(behind)
    expect(await behind.send(access_token)).toEqual(['token-1'])
    expect(behind.upstream.requests[0]?.headers).not.toHaveProperty('authorization')
  })

  it('arrives in Authorization where the operator says so, and there alone', async () => {
    const behind = await startBehind('Authorization')
    const { access_token } = await obtainTokensThere(behind)
    expect(await behind.send(access_token)).toEqual(['Bearer token-1'])
  })

  it('is sent nowhere unless the operator wants it', async () => {
    const behind = await startBehind()
    const plain = resource({ allow: ANYONE, upstream: behind.upstream.origin })
    const after = await behind.restart({ resources: [plain] })
    const { access_token } = await obtainTokensThere({ ...behind, ...after })
    await sender(after, behind.upstream, HEADER)(access_token)
    expect(JSON.stringify(behind.upstream.requests.at(-1)?.rawHeaders)).not.toContain('token-')
    expect(
      Object.keys(await storedRecords(after.storage)).some((key) => /^upstream:/.test(key)),
    ).toBe(true)
    expect(JSON.stringify(await storedRecords(after.storage))).not.toContain('"token"')
  })

  it('T8: stays with its server: another one behind the same gateway gets no token', async () => {
    const provider = await startNumbering()
    const upstream = await startUpstream((_request, response) => response.end('ok'))
    const files = resource({
      id: 'files',
      url: 'https://files.example.com/mcp',
      allow: ANYONE,
      upstream: upstream.origin,
    })
    const journey = await startJourney(
      {
        provider: { ...provider.config, rechecks: true },
        resources: [behind(upstream, HEADER), files],
      },
      provider,
    )
    const url = authorizeUrl(journey.client, { resource: files.url })
    const browser = createBrowser(journey.app)
    expect((await browser.get(url)).body).not.toContain('What the server gets')
    const back = await provider.signIn(refreshTarget((await approve(browser, url)).body))
    const code = codeOf(await browser.get(back))
    const { access_token } = (await redeem(journey.app, journey.client, code)).json()
    const ask = (token: string) =>
      journey.app.inject({
        method: 'POST',
        url: '/mcp',
        headers: { host: 'files.example.com', authorization: `Bearer ${token}` },
      })
    expect((await ask(access_token)).statusCode).toBe(200)
    expect(upstream.requests).toHaveLength(1)
    expect(JSON.stringify(upstream.requests[0]?.rawHeaders)).not.toContain('token-')
    // And the token of the other server opens nothing here.
    const notes = await obtainTokensThere(journey)
    expect((await ask(notes.access_token)).statusCode).toBe(401)
    expect(upstream.requests).toHaveLength(1)
  })

  it('T8: is in no answer of a check: whoever may ask would hold it', async () => {
    const behind = await startBehind()
    const { access_token } = await obtainTokensThere(behind)
    const answer = await check(behind.app, { authorization: `Bearer ${access_token}` })
    expect(answer.statusCode).toBe(200)
    expect(JSON.stringify(answer.headers)).not.toContain('token-1')
  })

  it('T8: is announced on the page that asks the person', async () => {
    const behind = await startBehind()
    const page = (await createBrowser(behind.app).get(asking(behind))).body
    expect(page).toContain('What the server gets')
    expect(page).toContain('can act as you at everything that accepts tokens of')
  })

  it('T8, T42: a client cannot write it itself, in no spelling', async () => {
    const behind = await startBehind()
    const { access_token } = await obtainTokensThere(behind)
    const forged = { [HEADER]: 'forged', x_provider_token: 'forged', 'X.PROVIDER-TOKEN': 'forged' }
    expect(await behind.send(access_token, forged)).toEqual(['token-1'])
    expect(JSON.stringify(behind.upstream.requests[0]?.rawHeaders)).not.toContain('forged')
  })

  it('T8: nor where there is none, as with a static token', async () => {
    const staticTokens = [{ name: 'ci', tokenHash: sha256('a-static-token') }]
    const behind = await startBehind(HEADER, { staticTokens })
    expect(await behind.send('a-static-token', { [HEADER]: 'forged' })).toEqual([])
  })

  it('T8: nor in Authorization beside a session or an open path', async () => {
    const provider = await startNumbering()
    const upstream = await startUpstream((_request, response) => response.end('ok'))
    const notes = { ...behind(upstream, 'Authorization'), openPaths: ['/notes/mcp/open'] }
    const { app } = await startJourney(
      { provider: { ...provider.config, rechecks: true }, resources: [notes] },
      provider,
    )
    await app.inject({
      method: 'GET',
      url: '/notes/mcp/open',
      headers: { host: 'mcp.example.com', authorization: 'Basic Zm9yZ2VkOng=' },
    })
    expect(upstream.requests).toHaveLength(1)
    expect(upstream.requests[0]?.headers).not.toHaveProperty('authorization')
  })
})

describe('the end of the token', () => {
  it('is the end of the access token of the client, which thus refreshes in time', async () => {
    const behind = await startBehind()
    const tokens = await obtainTokensThere(behind)
    expect(tokens).toMatchObject({ expires_in: LIFETIME })
  })

  it('brings another one at the refresh, at every replica', async () => {
    const provider = await startNumbering()
    const upstream = await startUpstream((_request, response) => response.end('ok'))
    const changes = {
      provider: { ...provider.config, rechecks: true as const },
      users: [],
      resources: [behind(upstream, HEADER)],
    }
    const [one, other] = await startReplicas('announcing', changes)
    const client = await register(one.app)
    const tokens = await obtainTokensThere({ ...one, provider, client, untrusted: client })
    const atOther = sender(other, upstream, HEADER)
    expect(await atOther(tokens.access_token)).toEqual(['token-1'])
    one.clock.advance(LIFETIME)
    const next = (await refresh(one.app, client, tokens.refresh_token)).json()
    expect(await atOther(next.access_token)).toEqual(['token-2'])
  })

  it('within a minute of the last question brings another one, too', async () => {
    const behind = await startBehind()
    behind.provider.lies.tokens = (answer) => Object.assign(answer, { expires_in: 40 })
    const tokens = await obtainTokensThere(behind)
    behind.clock.advance(20)
    const next = (await refresh(behind.app, behind.client, tokens.refresh_token)).json()
    expect(await behind.send(next.access_token)).toEqual(['token-2'])
  })

  it('a server gets nothing in the place of a token that has ended, and the log says so once', async () => {
    const behind = await startBehind()
    // Less than the shortest life of an access token of ours.
    behind.provider.lies.tokens = (answer) => Object.assign(answer, { expires_in: 10 })
    const { access_token } = await obtainTokensThere(behind)
    expect(await behind.send(access_token)).toEqual(['token-1'])
    behind.clock.advance(10)
    expect(await behind.send(access_token, { [HEADER]: 'forged' })).toEqual([])
    expect(await behind.send(access_token)).toEqual([])
    expect(leftOut(behind)).toEqual([
      expect.objectContaining({ resource: 'notes', reason: expect.stringContaining('has ended') }),
    ])
    expect(JSON.stringify(behind.logs)).not.toContain('token-1')
  })

  it.each([
    ['too long for a header, and for the store', 'x'.repeat(70_000), 'longer than'],
    ['no text for a header', 'a\r\nX-Forwarded-User: root', 'no header can carry'],
  ])('a token that is %s is left out', async (_what, value, reason) => {
    const behind = await startBehind()
    behind.provider.issues = async () => value
    const { access_token } = await obtainTokensThere(behind)
    expect(await behind.send(access_token)).toEqual([])
    expect(leftOut(behind)).toMatchObject([{ reason: expect.stringContaining(reason) }])
    expect(JSON.stringify(behind.upstream.requests.at(-1)?.rawHeaders)).not.toContain('root')
  })

  it('T31: at the provider ends the permission at the next refresh', async () => {
    const behind = await startBehind()
    const tokens = await obtainTokensThere(behind)
    behind.clock.advance(LIFETIME)
    behind.provider.isDisabled = true
    const answer = await refresh(behind.app, behind.client, tokens.refresh_token)
    expect(answer.json().error).toBe('invalid_grant')
  })

  it('comes with the revocation of the permission', async () => {
    const behind = await startBehind()
    const tokens = await obtainTokensThere(behind)
    expect(await behind.send(tokens.access_token)).toEqual(['token-1'])
    await revoke(behind.app, behind.client, tokens.refresh_token)
    await expect(behind.send(tokens.access_token)).rejects.toThrow('nothing arrived: 401')
    expect(
      Object.keys(await storedRecords(behind.storage)).filter((key) => /^upstream:/.test(key)),
    ).toEqual([])
  })
})

it('asks neither the provider nor the store again while the credential is known (K29)', async () => {
  const behind = await startBehind()
  const { access_token } = await obtainTokensThere(behind)
  await behind.send(access_token)
  const asked = behind.provider.redeemed.length
  await behind.provider.stop()
  await behind.storage.delete(
    String(Object.keys(await storedRecords(behind.storage)).find((key) => /^upstream:/.test(key))),
  )
  expect(await behind.send(access_token)).toEqual(['token-1'])
  expect(behind.provider.redeemed).toHaveLength(asked)
})

it('keeps the token sealed in the store, for its permission alone, and out of every log', async () => {
  const behind = await startBehind()
  behind.provider.issues = async () => 'the-secret-token-of-ann'
  const { access_token } = await obtainTokensThere(behind)
  await behind.send(access_token)
  const stored = await storedRecords(behind.storage)
  expect(JSON.stringify([stored, behind.logs, behind.events])).not.toContain('the-secret-token')
  // Moved to another permission, the sealed value opens nothing.
  const [[first = '', record] = []] = Object.entries(stored).filter(([key]) =>
    /^upstream:/.test(key),
  )
  behind.provider.issues = async () => 'the-token-of-bob'
  const other = await obtainTokensThere(behind)
  const moved = Object.keys(await storedRecords(behind.storage)).find(
    (key) => /^upstream:/.test(key) && key !== first,
  )
  await behind.storage.set(String(moved), record as never, 3600)
  expect(await behind.send(other.access_token)).toEqual([])
})

describe('a permission from before the setting', () => {
  it('T8: sends nothing if only the page is older: the person allowed what they read there', async () => {
    const behind = await startBehind()
    const plain = resource({ allow: ANYONE, upstream: behind.upstream.origin })
    const before = await behind.restart({ resources: [plain] })
    const reader = createBrowser(before.app)
    const page = (await reader.get(asking(behind))).body
    expect(page).not.toContain('What the server gets')

    const after = await before.restart({ resources: behind.config.resources })
    const browser = createBrowser(after.app)
    for (const [name, value] of reader.cookies) browser.cookies.set(name, value)
    const allowed = await browser.post(formAction(page), {
      interaction: hiddenField(page, 'interaction'),
      decision: 'approve',
    })
    const back = await behind.provider.signIn(refreshTarget(allowed.body))
    const tokens = (await redeem(after.app, behind.client, codeOf(await browser.get(back)))).json()
    expect(await sender(after, behind.upstream, HEADER)(tokens.access_token)).toEqual([])
    expect(JSON.stringify(await storedRecords(after.storage))).not.toContain('"token"')
    after.clock.advance(3600)
    const answer = await refresh(after.app, behind.client, tokens.refresh_token)
    expect(answer.json().error).toBe('invalid_grant')
  })

  it('T8: sends nothing, and ends at its next refresh: the person was never told', async () => {
    const behind = await startBehind()
    const plain = resource({ allow: ANYONE, upstream: behind.upstream.origin })
    const before = await behind.restart({ resources: [plain] })
    const tokens = await obtainTokensThere({ ...behind, ...before })
    const after = await before.restart({ resources: behind.config.resources })
    expect(await sender(after, behind.upstream, HEADER)(tokens.access_token)).toEqual([])
    after.clock.advance(3600)
    const answer = await refresh(after.app, behind.client, tokens.refresh_token)
    expect(answer.json().error).toBe('invalid_grant')
    expect(after.events.find(({ event }) => event === 'grant-revoked')).toMatchObject({
      reason: 'the person signed in before the server got their token of the provider',
    })
  })
})

it('goes to the server of a client without refresh tokens, while the token that could renew it is forgotten', async () => {
  const behind = await startBehind()
  const client: RegisteredClient = await register(behind.app, {
    grant_types: ['authorization_code'],
  })
  const { access_token } = await obtainTokensThere({ ...behind, client })
  expect(await behind.send(access_token)).toEqual(['token-1'])
  const stored = JSON.stringify(await storedRecords(behind.storage))
  expect(stored).toContain('"token"')
  expect(stored).not.toContain('"held"')
})

it('is at GitHub the token of the app, which need not end', async () => {
  const github = await startGithub()
  const upstream = await startUpstream((_request, response) => response.end('ok'))
  const later = await anHourAgo(
    { provider: { ...github.config, rechecks: true }, resources: [behind(upstream, HEADER)] },
    github.signIn,
  )
  const answer = await later.refresh()
  expect(answer.json().expires_in).toBe(3600)
  expect(await sender(later, upstream, HEADER)(answer.json().access_token)).toEqual([
    expect.stringMatching(/^gh[ou]_/),
  ])
})
