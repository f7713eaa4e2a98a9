import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { sha256 } from '../../src/crypto.ts'
import { ANYONE, buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'
import { obtainTokensThere, startJourney } from '../support/provider-journey.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { linesOf, startUpstream } from '../support/upstream-server.ts'
import { asTraefikAsks, BARE_ANN, IDENTITY } from './asked.ts'

const identityHeaders: Config['identityHeaders'] = {
  'X-Remote-User': 'user',
  'X-Remote-Email': 'email',
  'X-Remote-Groups': 'groups',
  'X-User-Id': 'id',
}
const NAMES = Object.keys(identityHeaders)

const first = await buildTestApp({ resources: [resource({ allow: ANYONE })] })
const { tokens } = await obtainTokens(first.app)
const CREDENTIAL = `Authorization: Bearer ${tokens.access_token}`

async function asked(lines: readonly string[], changes: Partial<Config> = {}) {
  const { app } = await first.restart({ identityHeaders, ...changes })
  return exchange(await listen(app), asTraefikAsks(lines))
}

it('are each there once on an allow, and no others', async () => {
  const answer = await asked([CREDENTIAL])
  expect(answer.status).toBe(200)
  expect(answer.values('x-remote-user')).toEqual(['ann@example.com'])
  expect(answer.values('x-remote-email')).toEqual(['ann@example.com'])
  expect(answer.values('x-remote-groups')).toEqual(['staff'])
  expect(answer.values('x-user-id')).toEqual([expect.stringMatching(/^u_/)])
  for (const name of IDENTITY.filter((ours) => !NAMES.includes(ours))) {
    expect(answer.values(name), name).toEqual([])
  }
})

describe('sc5: the value `subject`', () => {
  const identityHeaders = { 'X-User-Sub': 'subject', 'X-User-Id': 'id' } as const
  const subjectOf = async (app: TestApp['app'], token: string) =>
    (await check(app, { authorization: `Bearer ${token}` })).headers['x-user-sub']

  it("is the provider's own id of a person", async () => {
    const journey = await startJourney({
      identityHeaders,
      resources: [resource({ allow: ANYONE })],
    })
    const { access_token } = await obtainTokensThere(journey)
    expect(await subjectOf(journey.app, access_token)).toBe('subject-of-ann')
  })

  it('T39: is empty for a program, whose name could be that of a person', async () => {
    const token = 'a-fixed-token-of-a-program-0123456789'
    const { app } = await first.restart({
      identityHeaders,
      staticTokens: [{ name: 'ann', tokenHash: sha256(token) }],
    })
    expect(await subjectOf(app, token)).toBe('')
    expect(await subjectOf(app, tokens.access_token)).toBe('ann')
  })
})

it('are empty, not absent, where nothing is known', async () => {
  const answer = await asked([CREDENTIAL], { users: [BARE_ANN] })
  expect(answer.values('x-remote-email')).toEqual([''])
  expect(answer.values('x-remote-groups')).toEqual([''])
})

it('may say the same thing twice', async () => {
  const twice = { 'X-Remote-User': 'email', 'X-Remote-Email': 'email' } as const
  const answer = await asked([CREDENTIAL], { identityHeaders: twice })
  expect(answer.values('x-remote-user')).toEqual(['ann@example.com'])
  expect(answer.values('x-remote-email')).toEqual(['ann@example.com'])
})

it.each([
  ['without a credential', [], {}],
  ['with a bad one', ['Authorization: Bearer x.y.z'], {}],
  ['of a person who may not', [CREDENTIAL], { resources: [resource({ allow: nobody() })] }],
])('are on no refusal %s', async (_what, lines, changes) => {
  const answer = await asked(lines, changes)
  expect(answer.status).toBeGreaterThanOrEqual(401)
  for (const name of [...NAMES, ...IDENTITY]) expect(answer.values(name), name).toEqual([])
})

function nobody() {
  return { anyone: false, emails: [], domains: [], groups: [] }
}

it('T24: reach an upstream of our own, and nothing that a client sends under their names or the default ones', async () => {
  const upstream = await startUpstream((_request, response) => response.end('ok'))
  const { app } = await first.restart({
    identityHeaders,
    resources: [resource({ allow: ANYONE, upstream: upstream.origin })],
  })
  const forged = [...NAMES, ...IDENTITY, 'x_remote_user', 'X.Remote.Groups', 'X_User_Name']
  const answer = await exchange(await listen(app), [
    'POST /notes/mcp HTTP/1.1',
    'Host: mcp.example.com',
    'Content-Length: 0',
    CREDENTIAL,
    ...forged.map((name) => `${name}: forged`),
  ])
  expect(answer.status).toBe(200)
  const [request] = upstream.requests
  if (!request) throw new Error('nothing arrived')
  expect(request.rawHeaders).not.toContain('forged')
  expect(linesOf(request, 'x-remote-user')).toEqual(['ann@example.com'])
  expect(linesOf(request, 'x-remote-groups')).toEqual(['staff'])
  expect(linesOf(request, 'x-forwarded-user')).toEqual([])
})
