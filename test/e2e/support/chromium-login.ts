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
  { name, password }: Credentials,
): Promise<URL> {
  const callback = authorizationUrl.searchParams.get('redirect_uri') ?? ''
  const arrival = page.waitForRequest((request) => request.url().startsWith(callback), {
    timeout: 30_000,
  })
  const walk = async () => {
    await page.goto(authorizationUrl.href)
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.getByLabel('Name').fill(name)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Sign in' }).click()
  }
  const [request] = await Promise.all([arrival, walk()])
  return new URL(request.url())
}
