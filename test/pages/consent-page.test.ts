import { describe, expect, it } from 'vitest'
import { type ConsentPage, consentPage } from '../../src/pages/consent-page.ts'
import { attribute, tags, visibleText } from './read-markup.ts'

const render = (over: Partial<ConsentPage> = {}) =>
  consentPage({
    action: '/consent',
    interaction: 'sealed',
    client: { name: 'Claude Code', known: 'self-declared' },
    resource: { name: 'Team notes', host: 'mcp.example.com' },
    scopes: [
      { name: 'notes:read', description: 'Read your notes' },
      { name: 'notes:write', description: '' },
    ],
    destination: { kind: 'host', host: 'claude.ai' },
    ...over,
  })

const notes = (page: string) => page.match(/class="note"/g)?.length ?? 0

describe('consentPage', () => {
  it('at18: holds Allow back for the first second, and Deny never', () => {
    const page = render()
    expect(page).toMatch(/<span class="hold"><button[^>]*value="approve"/)
    expect(page).not.toMatch(/<span class="hold"><button[^>]*value="deny"/)
    expect(page).toContain('.hold > .button { animation: hold 1s; }')
    expect(page).toContain('@keyframes hold { 0%, 99.9% { visibility: hidden; } }')
  })

  it('answers who, what for, what it may do and where the answer goes, in this order', () => {
    const text = visibleText(render())
    const order = ['Who is asking', 'What for', 'What it will be able to do', 'Where the answer']
    const places = order.map((words) => text.indexOf(words))
    expect(places).not.toContain(-1)
    expect(places).toEqual(places.toSorted((a, b) => a - b))
  })

  it('fp2: says each name once, and where the answer goes before the buttons', () => {
    const text = visibleText(render({ person: 'ann@example.com' })).replace(
      /^.*?Allow access\?/,
      '',
    )
    for (const name of ['Claude Code', 'Team notes', 'claude.ai', 'ann@example.com']) {
      expect(text.split(name), name).toHaveLength(2)
    }
    expect(text.indexOf('claude.ai')).toBeLessThan(text.indexOf('Deny'))
  })

  it('asks for the decision with Deny first, both of one form and one size', () => {
    const page = render()
    const buttons = tags(page).filter((tag) => tag.startsWith('<button'))
    expect(buttons.map((tag) => [attribute(tag, 'name'), attribute(tag, 'value')])).toEqual([
      ['decision', 'deny'],
      ['decision', 'approve'],
    ])
    expect(page.match(/<form/g)).toHaveLength(1)
    expect(page).toContain('<form method="post" action="/consent" id="consent">')
    expect(page).toContain('<input type="hidden" name="interaction" value="sealed">')
  })

  it('says how the name is known', () => {
    expect(visibleText(render())).toContain('Nobody has checked this name')
    expect(visibleText(render({ client: { name: 'CI', known: 'configured' } }))).not.toContain(
      'Nobody has checked this name',
    )
  })

  it('names a program that gave itself no name', () => {
    const page = render({ client: { name: '\u200b', known: 'self-declared' } })
    expect(visibleText(page)).toContain('A program without a name')
  })

  it('shows what may be done in words, and the bare name only where there are none', () => {
    const text = visibleText(render())
    expect(text).toContain('Read your notes')
    expect(text).not.toContain('notes:read')
    expect(text).toContain('notes:write')
  })

  it('shows the host the answer goes to in bold', () => {
    expect(render()).toMatch(/Where the answer goes<\/dt><dd><b><bdi>claude\.ai<\/bdi><\/b>/)
  })

  it('calls a loopback address a program on this computer, and shows its host where given', () => {
    const plain = render({ destination: { kind: 'loopback' } })
    expect(plain).toMatch(/<b[^>]*>a program on this computer<\/b>/)
    const withHost = render({ destination: { kind: 'loopback', host: 'localhost:33418' } })
    expect(visibleText(withHost)).toContain('localhost:33418')
  })

  it('calls an own scheme an app on this device', () => {
    const page = render({ destination: { kind: 'app', scheme: 'cursor' } })
    expect(visibleText(page)).toMatch(/an app on this device .* cursor : links/)
  })

  it.each<[string, ConsentPage['client']['known'], ConsentPage['destination'], number]>([
    ['a loopback address of an unknown client', 'self-declared', { kind: 'loopback' }, 1],
    ['a loopback address of a configured client', 'configured', { kind: 'loopback' }, 1],
    ['an app of a configured client', 'configured', { kind: 'app', scheme: 'cursor' }, 1],
    ['a host of an unknown client', 'self-declared', { kind: 'host', host: 'a.example' }, 1],
    ['a host of a configured client', 'configured', { kind: 'host', host: 'a.example' }, 0],
  ])('warns about %s in so many sentences', (_, known, destination, sentences) => {
    expect(notes(render({ client: { name: 'Claude', known }, destination }))).toBe(sentences)
  })

  it('shows who is signed in when known, else that signing in comes next', () => {
    expect(visibleText(render({ person: 'ann@example.com' }))).toContain(
      'Signed in as ann@example.com . Not you? Use another account',
    )
    expect(visibleText(render())).toContain('asked to sign in next')
  })
})
