/**
 * The states that people see, and how the running program gets there: through its own addresses, as a person does.
 *
 * @module
 */
import type { Page } from 'playwright-core'
import { type Gateway, PEOPLE } from './gateway.ts'

/** Leads a fresh browser to a state. */
export type State = (page: Page, gateway: Gateway) => Promise<void>

const allow = (page: Page) => page.getByRole('button', { name: 'Allow' }).click()

async function typeLogin(page: Page, name: keyof typeof PEOPLE, password?: string): Promise<void> {
  await page.getByLabel('Name').fill(PEOPLE[name].email)
  await page.getByLabel('Password').fill(password ?? PEOPLE[name].password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** Opens the login through the consent page of a program on this computer. */
async function openLogin(page: Page, gateway: Gateway): Promise<void> {
  await page.goto(gateway.authorizationUrl('local'))
  await allow(page)
  await page.getByLabel('Name').waitFor()
}

/** Signs in once, so that the gateway knows the browser. */
async function signIn(page: Page, gateway: Gateway): Promise<void> {
  await openLogin(page, gateway)
  await typeLogin(page, 'ann')
  await page.getByText('You are connected.').waitFor()
}

export const states: Readonly<Record<string, State>> = {
  consent: async (page, gateway) => {
    await signIn(page, gateway)
    await page.goto(gateway.authorizationUrl('hosted'))
  },
  'consent-first': async (page, gateway) => {
    await page.goto(gateway.authorizationUrl('local'))
  },
  'consent-app': async (page, gateway) => {
    await page.goto(gateway.authorizationUrl('app'))
  },
  login: openLogin,
  'login-wrong': async (page, gateway) => {
    await openLogin(page, gateway)
    await typeLogin(page, 'ann', 'not the password')
    await page.getByRole('alert').waitFor()
  },
  refused: async (page, gateway) => {
    await openLogin(page, gateway)
    await typeLogin(page, 'bob')
    await page.getByText('You may not use').first().waitFor()
  },
  error: async (page, gateway) => {
    const url = new URL(gateway.authorizationUrl('hosted'))
    url.searchParams.set('redirect_uri', 'https://claude.ai/another-address')
    await page.goto(url.href)
  },
  'opened-by-hand': async (page, gateway) => {
    await page.goto(`${gateway.origin}/authorize`)
  },
  'start-again': async (page, gateway) => {
    await page.goto(gateway.authorizationUrl('local'))
    await allow(page)
    await page.getByLabel('Name').waitFor()
    const address = page.url()
    await page.context().clearCookies()
    await page.goto(address)
  },
  'app-denied': async (page, gateway) => {
    await page.goto(gateway.authorizationUrl('app'))
    await page.getByRole('button', { name: 'Deny' }).click()
  },
  connect: async (page, gateway) => {
    await page.goto(`${gateway.origin}/auth/connect?callback_port=49152&code=K7M-2QXA`)
    await typeLogin(page, 'ann')
    await page.getByText('Connect your terminal?').waitFor()
  },
  device: async (page, gateway) => {
    await page.goto(`${gateway.origin}/device`)
  },
  'sign-out': async (page, gateway) => {
    await page.setContent(`<a href="${gateway.origin}/logout">Sign out</a>`)
    await page.getByRole('link').click()
    await page.getByText('Sign out?').first().waitFor()
  },
  'signed-out': async (page, gateway) => {
    await page.goto(`${gateway.origin}/logout`)
  },
}
