/**
 * A person who signed in an hour ago at some provider, and whose client refreshes now.
 *
 * @module
 */
import type { LightMyRequestResponse } from 'fastify'
import type { Config } from '../../src/config/config.ts'
import { createBrowser, refreshTarget } from './browser.ts'
import { buildTestApp, type TestApp } from './build-app.ts'
import { authorizeUrl, check, codeOf, redeem, refresh, register } from './oauth-client.ts'
import { approve, isFailedSignIn } from './provider-journey.ts'

export interface Later extends TestApp {
  /** Where the person was sent to. */
  readonly sentTo: URL
  /** Refreshes, with the newest refresh token. */
  refresh(): Promise<LightMyRequestResponse>
  /** The identity that the server is told of. */
  headers(): Promise<LightMyRequestResponse['headers']>
  /** Why the grant ended. */
  ended(): readonly string[]
}

/** @param signIn does what the person does at the provider; returns the address that they are sent back to */
export async function anHourAgo(
  changes: Partial<Config>,
  signIn: (authorizationUrl: string) => Promise<string>,
  reuse?: Parameters<typeof buildTestApp>[1],
): Promise<Later> {
  const test = await buildTestApp({ users: [], ...changes }, reuse)
  const { app, clock, events } = test
  const client = await register(app)
  const browser = createBrowser(app, test.config.publicUrl.origin)
  const sentTo = refreshTarget((await approve(browser, authorizeUrl(client))).body)
  const back = await browser.get(await signIn(sentTo))
  const failed = test.logs.find(isFailedSignIn)
  if (failed) throw new Error(`the sign-in failed: ${failed.reason}`)
  let tokens = (await redeem(app, client, codeOf(back))).json()
  clock.advance(3600)
  return {
    ...test,
    sentTo: new URL(sentTo),
    async refresh() {
      const answer = await refresh(app, client, tokens.refresh_token)
      if (answer.statusCode === 200) tokens = answer.json()
      return answer
    },
    headers: async () =>
      (await check(app, { authorization: `Bearer ${tokens.access_token}` })).headers,
    ended: () => events.flatMap((it) => (it.event === 'grant-revoked' ? [it.reason] : [])),
  }
}
