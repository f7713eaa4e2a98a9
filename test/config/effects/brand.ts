/**
 * The effects of the settings for the look of the pages.
 *
 * @module
 */
import { expect } from 'vitest'
import { createBrowser } from '../../support/browser.ts'
import { authorizeUrl, consentTo, register } from '../../support/oauth-client.ts'
import { createVisitor, type Visit } from '../../support/visitor.ts'
import { type Effect, start } from './start.ts'

type BrandSetting = `brand_${'name' | 'logo' | 'color' | 'support' | 'login_help'}`

/** The consent page and its policy, and the page of a check that lets nobody sign in. */
async function pages(env: Record<string, string>) {
  const test = await start({ TRUSTED_PROXIES: '127.0.0.1', ...env })
  const browser = createBrowser(test.app)
  const consent = await browser.get(authorizeUrl(await register(test.app)))
  const refused = await createVisitor(test).open('https://mcp.example.com/notes/%2e%2e%2f')
  expect(refused.answer.statusCode).toBe(403)
  return { test, browser, consent, refused }
}

const policyOf = ({ answer }: Pick<Visit, 'answer'>) =>
  String(answer.headers['content-security-policy'])

export const brand: Record<BrandSetting, Effect> = {
  async brand_name() {
    const { consent, refused } = await pages({ BRAND_NAME: 'Example Inc.' })
    for (const { body } of [consent, refused.answer]) {
      expect(body).toContain('<header><span><bdi>Example Inc.</bdi></span></header>')
      expect(body).not.toContain('<span>Gatewarden</span>')
    }
    const { answer } = refused
    expect(Number(answer.headers['content-length'])).toBe(Buffer.byteLength(answer.body))
  },

  async brand_logo() {
    const env = { BRAND_NAME: 'Example Inc.', BRAND_LOGO: '/logo.png' }
    const { consent, refused } = await pages(env)
    for (const answer of [consent, refused.answer]) {
      expect(answer.body).toContain('<img src="https://auth.example.com/logo.png" alt=""')
      expect(policyOf({ answer })).toMatch(/img-src [^;]* https:\/\/auth\.example\.com\/logo\.png;/)
    }
  },

  async brand_color() {
    const { consent, refused } = await pages({ BRAND_COLOR: '#063' })
    for (const answer of [consent, refused.answer]) {
      expect(answer.body).toContain('--accent: #006633')
      expect(policyOf({ answer })).toMatch(/style-src 'sha256-[^']+' 'sha256-[^']+';/)
    }
  },

  async brand_support() {
    const { consent, refused } = await pages({ BRAND_SUPPORT: 'help@example.com' })
    for (const { body } of [consent, refused.answer]) {
      expect(body).toContain('<a href="mailto:help@example.com">')
    }
    const visitor = createVisitor(
      await start({ BRAND_SUPPORT: 'help@example.com', ALLOWED_EMAILS: 'bob@example.com' }),
    )
    const login = await visitor.open('https://mcp.example.com/notes/mcp')
    const { answer } = await visitor.signIn(login)
    expect(answer.statusCode).toBe(403)
    expect(answer.body).toMatch(/class="button primary"[^>]*><bdi>Ask help@example\.com for access/)
    expect(answer.body).toMatch(/class="button"[^>]*><bdi>Sign in as someone else/)
  },

  async brand_login_help() {
    const { test, browser } = await pages({ BRAND_LOGIN_HELP: 'Forgot it? Call 1234.' })
    const login = await consentTo(browser, authorizeUrl(await register(test.app)))
    expect(login.body).toContain('Forgot it? Call 1234.')
  },
}
