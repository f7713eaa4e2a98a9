/**
 * A person's way through consent and login in a real Chromium.
 *
 * @module
 */
import type { Page } from 'playwright-core'
import type { Credentials } from './browser.ts'

/**
 * Allows the client, signs in, and returns the address of the client's callback, which Chromium requests as well.
 * @param page a page of a context that ignores certificate errors when the gateway has a certificate of its own
 */
export async function signInWithChromium(
  page: Page,
  authorizationUrl: URL,
  person: Credentials,
): Promise<URL> {
  const arrival = arrivalAt(page, authorizationUrl)
  await page.goto(authorizationUrl.href)
  await allow(page)
  await typeLogin(page, person)
  return arrival
}

/** The address of the client's callback, once `page` is there; if nobody answers there, once `page` requests it. */
export async function arrivalAt(page: Page, authorizationUrl: URL): Promise<URL> {
  const callback = authorizationUrl.searchParams.get('redirect_uri') ?? ''
  const request = await page.waitForRequest((request) => request.url().startsWith(callback), {
    timeout: 30_000,
  })
  // The page before goes on by itself: until the browser has arrived, that would interrupt what a test opens next.
  const response = await request.response()
  if (response?.ok()) await page.waitForURL(request.url(), { waitUntil: 'commit' })
  return new URL(request.url())
}

/** Presses Allow, again if the page asks again, and waits for the login page. */
export async function allow(page: Page): Promise<void> {
  const button = page.getByRole('button', { name: 'Allow' })
  const name = page.getByLabel('Name')
  await button.click()
  await page.waitForURL(/\/(consent|login)\b/)
  await name.or(button).waitFor()
  if (await button.isVisible()) await button.click()
  await name.waitFor()
}

/** Types name and password and sends them. */
export async function typeLogin(page: Page, { name, password }: Credentials): Promise<void> {
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}
