/**
 * A day of people and programs at two servers, in front of the real app: the happenings of cases fl1 to fl10.
 *
 * @module
 */
import { sha256 } from '../../src/crypto.ts'
import { createBrowser, hiddenField } from './browser.ts'
import { ANYONE, buildTestApp, PASSWORD, resource } from './build-app.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  consentTo,
  redeem,
  refresh,
  register,
  VERIFIER,
} from './oauth-client.ts'
import { makeSession } from './session.ts'
import { decide, followToLogin, typeIn } from './steps.ts'

const STATE = 'the-state-of-the-client'
const TYPED = 'tr0ub4dor&3-typed-by-mistake'
const FROM = { 'x-forwarded-for': '198.51.100.7' }
const RESOURCES = [
  resource(),
  resource({ id: 'wiki', url: 'https://wiki.example.com/mcp', allow: ANYONE }),
]

export type Line = Readonly<Record<string, unknown>>

export interface Day {
  readonly logs: readonly Line[]
  /** Every value that no line may hold. */
  readonly secrets: readonly string[]
  readonly clientId: string
}

export async function playTheDay(): Promise<Day> {
  const test = await buildTestApp({ resources: RESOURCES })
  const { app, clock } = test
  const secrets = new Set<string>([PASSWORD, TYPED, STATE, VERIFIER])

  // Ann connects a client: she mistypes first.
  const client = await register(app, {
    client_name: 'Claude Code',
    redirect_uris: ['http://localhost:3334/callback'],
    software_id: 'claude-code',
    software_version: '2.1',
  })
  const browser = createBrowser(app)
  const url = authorizeUrl(client, { state: STATE, redirect_uri: 'http://localhost:3334/callback' })
  const consent = await browser.get(url)
  secrets.add(hiddenField(consent.body, 'interaction'))
  const login = await followToLogin(browser, await decide(browser, consent, 'approve', FROM))
  secrets.add(hiddenField(login.body, 'interaction'))
  await typeIn(browser, login, { name: 'ann', password: TYPED }, FROM)
  await typeIn(browser, login, { name: TYPED, password: TYPED }, FROM)
  const code = codeOf(await typeIn(browser, login, {}, FROM))
  secrets.add(code)
  for (const value of browser.cookies.values()) secrets.add(value)
  const redirect = { redirect_uri: 'http://localhost:3334/callback' }
  const tokens = (await redeem(app, client, code, redirect)).json()
  secrets.add(tokens.access_token).add(tokens.refresh_token)
  const asAnn = { authorization: `Bearer ${tokens.access_token}`, ...FROM }

  // She works: many calls are one line.
  for (let n = 0; n < 20; n += 1) await check(app, asAnn)
  const query = 'access_token=a-token-in-the-query'
  secrets.add('a-token-in-the-query')
  await check(app, { ...asAnn, 'x-forwarded-uri': `/notes/mcp?${query}` })
  // Her token is for the notes alone.
  await check(app, { ...asAnn, 'x-forwarded-host': 'wiki.example.com', 'x-forwarded-uri': '/mcp' })
  // Two hours later it has expired; the client refreshes.
  clock.advance(2 * 3600)
  await check(app, asAnn)
  const second = (await refresh(app, client, tokens.refresh_token)).json()
  secrets.add(second.access_token).add(second.refresh_token)
  await check(app, { authorization: `Bearer ${second.access_token}`, ...FROM })
  const third = (await refresh(app, client, second.refresh_token)).json()
  secrets.add(third.access_token).add(third.refresh_token)
  // A thief brings the first refresh token much later.
  clock.advance(600)
  await refresh(app, client, tokens.refresh_token)
  await check(app, { authorization: `Bearer ${third.access_token}`, ...FROM })

  // Bob is on no list of the notes; he denies the next client.
  const other = await register(app)
  const bobs = createBrowser(app)
  await typeIn(
    bobs,
    await consentTo(bobs, authorizeUrl(other, { state: STATE })),
    { name: 'bob' },
    FROM,
  )
  await decide(bobs, await bobs.get(authorizeUrl(other, { state: STATE })), 'deny', FROM)

  // Somebody guesses, asks for addresses that are none, and sends a form that is none.
  await check(app, { authorization: 'Bearer a-guessed-token', ...FROM })
  secrets.add('a-guessed-token')
  await check(app, {
    ...asAnn,
    'x-forwarded-host': 'mcp.example.com',
    'x-forwarded-uri': `/mcp?${query}`,
  })
  await app.inject({ method: 'POST', url: '/token', payload: 'x' })

  // Ann signs out of a session in her browser.
  const session = await makeSession(test)
  secrets.add(session.token)
  await check(app, { cookie: session.cookie, ...FROM })
  await app.inject({
    url: '/.gatewarden/logout',
    headers: { host: 'mcp.example.com', cookie: session.cookie, 'sec-fetch-site': 'none', ...FROM },
  })
  return { logs: test.logs, secrets: [...secrets], clientId: sha256(client.client_id).slice(0, 16) }
}
