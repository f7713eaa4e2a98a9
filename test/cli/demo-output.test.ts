/** The texts of the demo (cases fh4, fh5, fh6, fh9 and fh10). */
import { describe, expect, it } from 'vitest'
import { banner, eventLine } from '../../src/cli/demo/output.ts'

const READY = {
  seconds: 96.3,
  mcpUrl: 'http://localhost:18080/mcp',
  front: 'behind Traefik 3.7.15',
  user: 'demo@example.com',
  password: 'beech-ivory-cork',
  folder: '.demo/',
  colour: false,
} as const

describe('the banner', () => {
  const text = banner({ ...READY, seconds: 1234.5, mcpUrl: 'http://localhost:65535/mcp' })

  it('fh6: has lines of at most 80 columns', () => {
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
  })

  it('fh4: says how to sign in at Claude Code', () => {
    expect(text).toContain('claude mcp login demo')
  })

  it('fh5: names only packages that are owned by those we mean', () => {
    const packages = [...text.matchAll(/npx (?:-y )?(?:-p )?(\S+)/g)].map(([, name]) => name)
    expect(packages).toEqual(['mcp-remote'])
    expect(text).toContain('npx -y -p mcp-remote mcp-remote-client http://localhost:65535/mcp')
  })

  it('fh7: says that a browser shows what runs', () => {
    expect(text).toContain('  http://localhost:65535/\n')
  })
})

const DECISION = { event: 'decision', msg: 'decision' }

describe('a line of the log', () => {
  const line = (event: object) => eventLine(JSON.stringify(event), true)

  it('fh10: of the first challenge is not red, and says what it is', () => {
    const shown = line({ ...DECISION, status: 401, reason: 'no token', requestId: 'a-1' })
    expect(shown).toContain('401 no token: asked to sign in')
    expect(shown).not.toContain('\u001b[31m')
  })

  it('fh9: of a refusal ends with the number that the page shows', () => {
    for (const event of [
      { event: 'token-refused', msg: 'token refused', reason: 'the token has expired' },
      { event: 'sign-in-failed', msg: 'sign-in failed', reason: 'wrong' },
      { event: 'person-refused', msg: 'person refused', reason: 'the person is on no list' },
      { event: 'address-unknown', msg: 'nothing here', reason: 'nothing is at this address' },
    ]) {
      expect(line({ ...event, requestId: 'JzECFuaq-25' })).toMatch(/JzECFuaq-25/)
    }
  })

  it('of an allowed call shows who, what and how long', () => {
    const event = {
      ...DECISION,
      status: 200,
      user: 'ann@example.com',
      method: 'POST',
      ms: 1.24,
    }
    expect(eventLine(JSON.stringify(event), false)).toBe('  200 ann@example.com POST 1.2 ms')
  })

  it('that is none of these is left out', () => {
    expect(line({ event: 'listening', msg: 'listening' })).toBeUndefined()
    expect(line({ ...DECISION, status: 403, reason: 'told by its own event' })).toBeUndefined()
    expect(eventLine('not JSON', false)).toBeUndefined()
  })
})
