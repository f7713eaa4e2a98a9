/**
 * The way of a person through consent and a provider that is elsewhere, over `inject` and real HTTP.
 *
 * @module
 */
import type { LightMyRequestResponse } from 'fastify'
import type { Config } from '../../src/config/config.ts'
import { type Browser, createBrowser, formAction, hiddenField, refreshTarget } from './browser.ts'
import { buildTestApp, type TestApp } from './build-app.ts'
import { type HostileProvider, startHostileProvider } from './hostile-provider.ts'
import { authorizeUrl, codeOf, type RegisteredClient, redeem, register } from './oauth-client.ts'

/** A redirect that nobody vouches for: the person is told of errors instead (decision K10). */
export const UNTRUSTED_REDIRECT = 'https://program.example/callback'

export interface Journey extends TestApp {
  readonly provider: HostileProvider
  readonly client: RegisteredClient
  /** A client whose redirect is not trusted. */
  readonly untrusted: RegisteredClient
}

/** Starts the app with a provider of its own and two clients. */
export async function startJourney(
  changes: Partial<Config> = {},
  provider?: HostileProvider,
): Promise<Journey> {
  provider ??= await startHostileProvider()
  const test = await buildTestApp({ provider: provider.config, users: [], ...changes })
  const client = await register(test.app)
  const untrusted = await register(test.app, { redirect_uris: [UNTRUSTED_REDIRECT] })
  return { ...test, provider, client, untrusted }
}

/** True for the line of a sign-in that did not come about, by the person or by the provider. */
export const isFailedSignIn = ({ event }: Readonly<Record<string, unknown>>): boolean =>
  event === 'sign-in-failed' || event === 'provider-failed'

/** The authorization request of a client, trusted or not. */
export function asking(journey: Journey, { trusted = true }: { trusted?: boolean } = {}): string {
  return trusted
    ? authorizeUrl(journey.client)
    : authorizeUrl(journey.untrusted, { redirect_uri: UNTRUSTED_REDIRECT })
}

/** Allows the client; the answer depends on the provider. */
export async function approve(browser: Browser, url: string): Promise<LightMyRequestResponse> {
  const consent = await browser.get(url)
  return browser.post(formAction(consent.body), {
    interaction: hiddenField(consent.body, 'interaction'),
    decision: 'approve',
  })
}

/** Allows the client and signs in at the provider; returns the address that the person is sent back to. */
export async function cameBack(
  journey: Journey,
  browser: Browser,
  options: { trusted?: boolean } = {},
): Promise<string> {
  const approved = await approve(browser, asking(journey, options))
  return journey.provider.signIn(refreshTarget(approved.body))
}

/** Goes the whole way, up to our answer to the person who came back. */
export async function signInThere(
  journey: Journey,
  options: { trusted?: boolean; browser?: Browser } = {},
): Promise<LightMyRequestResponse> {
  const browser = options.browser ?? createBrowser(journey.app)
  return browser.get(await cameBack(journey, browser, options))
}

/** Signs in and redeems the code. */
export async function obtainTokensThere(
  journey: Journey,
): Promise<{ access_token: string; refresh_token: string }> {
  const answer = await signInThere(journey)
  const response = await redeem(journey.app, journey.client, codeOf(answer))
  if (response.statusCode !== 200) throw new Error(`no token: ${response.body}`)
  return response.json()
}
