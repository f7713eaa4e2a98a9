/**
 * The single steps of a sign-in, for tests that do something between them.
 *
 * @module
 */
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { expect } from 'vitest'
import { CONSENT_PATH, LOGIN_PATH } from '../../src/paths.ts'
import { type Browser, createBrowser, hiddenField, refreshTarget } from './browser.ts'
import { PASSWORD } from './build-app.ts'

/** The same browser in front of another process. */
export function moved(browser: Browser, app: FastifyInstance): Browser {
  const next = createBrowser(app)
  for (const [name, value] of browser.cookies) next.cookies.set(name, value)
  return next
}

/** Answers a consent page, or a page that says "Start again". */
export function decide(
  browser: Browser,
  page: LightMyRequestResponse,
  decision: 'approve' | 'deny' | 'restart' | 'someone-else' = 'approve',
  headers: Record<string, string> = {},
): Promise<LightMyRequestResponse> {
  const interaction = hiddenField(page.body, 'interaction')
  return browser.post(CONSENT_PATH, { interaction, decision }, headers)
}

/** Follows an approved consent to the login page. */
export function followToLogin(
  browser: Browser,
  approved: LightMyRequestResponse,
): Promise<LightMyRequestResponse> {
  return browser.get(refreshTarget(approved.body), { 'sec-fetch-site': 'same-origin' })
}

/** Types into a login page: by default, ann and her password. */
export function typeIn(
  browser: Browser,
  page: LightMyRequestResponse,
  { name = 'ann', password = PASSWORD }: { name?: string; password?: string } = {},
  headers: Record<string, string> = {},
): Promise<LightMyRequestResponse> {
  const interaction = hiddenField(page.body, 'interaction')
  return browser.post(LOGIN_PATH, { interaction, username: name, password }, headers)
}

/** A page of ours that decided nothing and leads nowhere by itself. */
export function expectPage(response: LightMyRequestResponse, status: number): void {
  expect(response.statusCode, response.body).toBe(status)
  expect(response.headers['content-type']).toBe('text/html; charset=utf-8')
  expect(response.headers.location).toBeUndefined()
  expect(response.body).not.toContain('http-equiv="refresh"')
}

/** The page that offers to start again. */
export function expectStartAgain(response: LightMyRequestResponse): void {
  expectPage(response, 400)
  expect(response.body).toContain('Start again')
  expect(hiddenField(response.body, 'decision')).toBe('restart')
  expect(response.body).not.toContain('type="password"')
}

/** The consent page. */
export function expectConsent(response: LightMyRequestResponse): void {
  expectPage(response, 200)
  expect(response.body).toContain('value="approve"')
}
