/**
 * The effects of the settings for browser sessions.
 *
 * @module
 */
import { expect } from 'vitest'
import type { TestApp } from '../../support/build-app.ts'
import { createVisitor, isLetIn, type Visitor } from '../../support/visitor.ts'
import { type Effect, start } from './start.ts'

const PAGE = 'https://mcp.example.com/notes/mcp'

async function signedIn(
  env: Record<string, string>,
): Promise<TestApp & { readonly visitor: Visitor }> {
  const test = await start(env)
  const visitor = createVisitor(test)
  expect(isLetIn(await visitor.signIn(await visitor.open(PAGE)))).toBe(true)
  return { ...test, visitor }
}

const cookieOf = ({ visitor }: { visitor: Visitor }) =>
  visitor.lines.find((line) => /gw_session/.test(line))

export const sessions: Record<'cookie_domain' | 'session_lifetime' | 'session_idle', Effect> = {
  async cookie_domain() {
    expect(cookieOf(await signedIn({}))).toContain('mcp.example.com __Host-gw_session=')
    const shared = cookieOf(await signedIn({ COOKIE_DOMAIN: 'example.com' }))
    expect(shared).toMatch(/^auth\.example\.com __Secure-gw_session_[\w-]{8}=/)
    expect(shared).toContain('; Domain=example.com;')
  },

  async session_lifetime() {
    const { visitor, clock } = await signedIn({ SESSION_LIFETIME: '2h' })
    expect(cookieOf({ visitor })).toContain('; Max-Age=7200;')
    clock.advance(7199)
    expect(isLetIn(await visitor.open(PAGE))).toBe(true)
    clock.advance(1)
    expect(isLetIn(await visitor.open(PAGE))).toBe(false)
  },

  async session_idle() {
    const { visitor, clock } = await signedIn({ SESSION_IDLE: '1h' })
    for (let hours = 0; hours < 2; hours += 0.75) {
      clock.advance(2700)
      expect(isLetIn(await visitor.open(PAGE))).toBe(true)
    }
    clock.advance(3600)
    expect(isLetIn(await visitor.open(PAGE))).toBe(false)
  },
}
