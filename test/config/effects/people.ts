/**
 * The effects of the settings for the people who may pass.
 *
 * @module
 */
import { expect } from 'vitest'
import { createBrowser } from '../../support/browser.ts'
import { ANN, BOB, type TestApp } from '../../support/build-app.ts'
import { authorizeUrl, register, signIn } from '../../support/oauth-client.ts'
import { loadYaml } from '../harness.ts'
import { type Effect, start } from './start.ts'

/** Whether each of the two people gets a code. */
export async function whoPasses({ app }: TestApp): Promise<Record<'ann' | 'bob', boolean>> {
  const url = authorizeUrl(await register(app))
  const passes = async (name: string) => {
    const answer = await signIn(createBrowser(app), url, { name })
    return String(answer.headers.location).includes('code=')
  }
  return { ann: await passes('ann'), bob: await passes('bob') }
}

/** Starts the app with only the people of these settings on the list. */
const onlyOn = (env: Record<string, string>) => start({ ALLOWED_EMAILS: undefined, ...env })

export const people: Record<
  | 'allowed_emails'
  | 'allowed_domains'
  | 'allowed_groups'
  | 'allowed_users'
  | 'require_verified_email'
  | 'users',
  Effect
> = {
  async allowed_emails() {
    const app = await onlyOn({ ALLOWED_EMAILS: 'bob@elsewhere.test' })
    expect(await whoPasses(app)).toEqual({ ann: false, bob: true })
  },

  async allowed_domains() {
    const app = await onlyOn({ ALLOWED_DOMAINS: 'elsewhere.test' })
    expect(await whoPasses(app)).toEqual({ ann: false, bob: true })
  },

  async allowed_groups() {
    const app = await onlyOn({ ALLOWED_GROUPS: 'staff' })
    expect(await whoPasses(app)).toEqual({ ann: true, bob: false })
  },

  async allowed_users() {
    const app = await onlyOn({ ALLOWED_USERS: 'Bob' })
    expect(await whoPasses(app)).toEqual({ ann: false, bob: true })
  },

  async require_verified_email() {
    const { email: _, ...bob } = BOB
    const passes = async (env: Record<string, string>) =>
      whoPasses(await start({ ALLOWED_EMAILS: '*', ...env }, { users: [ANN, bob] }))
    expect(await passes({})).toEqual({ ann: true, bob: true })
    expect(await passes({ REQUIRE_VERIFIED_EMAIL: 'true' })).toEqual({ ann: true, bob: false })
    const { config } = loadYaml(
      'resources: { notes: { url: "https://mcp.example.com", allow: { groups: [staff] } } }\nrequire_verified_email: true\n',
    )
    expect(config.resources).toMatchObject([{ allow: { groups: ['staff'], verifiedEmail: true } }])
  },

  async users() {
    const app = await onlyOn({ USERS: 'bob' })
    expect(await whoPasses(app)).toEqual({ ann: false, bob: true })
  },
}
