/**
 * K41: a proxy may add `form-action 'self'` to every page of its site. Chromium applies that policy to the redirects
 * after a form, so a browser's form never leads to another host by a redirect.
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import { CHROMIUM, createBrowser, refreshTarget } from '../support/browser.ts'
import { buildTestApp } from '../support/build-app.ts'
import { authorizeUrl, register } from '../support/oauth-client.ts'
import { decide, followToLogin, typeIn } from '../support/steps.ts'

const CALLBACK = 'http://127.0.0.1:33418/callback'

async function begin() {
  const { app } = await buildTestApp()
  const browser = createBrowser(app)
  return { browser, consent: await browser.get(authorizeUrl(await register(app))) }
}

describe('K41: the form of a browser', () => {
  it.each([
    ['the password', 'code', 'approve'],
    ['Deny', 'error', 'deny'],
  ] as const)(
    'leads to the client by a page that goes on by itself: %s',
    async (_, member, way) => {
      const { browser, consent } = await begin()
      const decided = await decide(browser, consent, way, CHROMIUM)
      const answer =
        way === 'deny'
          ? decided
          : await typeIn(browser, await followToLogin(browser, decided), {}, CHROMIUM)
      expect(answer.statusCode).toBe(200)
      expect(answer.headers.location).toBeUndefined()
      expect(answer.headers).toMatchObject({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
      })
      const to = new URL(refreshTarget(answer.body))
      expect(to.origin + to.pathname).toBe(CALLBACK)
      expect(to.searchParams.has(member)).toBe(true)
      expect(to.searchParams.get('state')).toBe('the-state')
    },
  )

  it('is not the form of a program that walks through the forms, which gets a redirect', async () => {
    const { browser, consent } = await begin()
    const login = await followToLogin(browser, await decide(browser, consent))
    const answer = await typeIn(browser, login, {}, { 'user-agent': 'node' })
    expect(answer.statusCode).toBe(303)
    expect(String(answer.headers.location)).toMatch(/^http:\/\/127\.0\.0\.1:33418\/callback\?code=/)
  })
})
