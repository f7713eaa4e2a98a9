import { describe, expect, it } from 'vitest'
import { type ErrorPage, errorPage } from '../../src/pages/error-page.ts'
import { attribute, tags, visibleText } from './read-markup.ts'

const render = (over: Partial<ErrorPage> = {}) =>
  errorPage({
    kind: 'retry',
    title: 'This page is too old',
    text: 'Nothing was shared.',
    requestId: 'req-1',
    actions: [],
    ...over,
  })

describe('errorPage', () => {
  it.each<[ErrorPage['kind'], string]>([
    ['retry', 'You did nothing wrong This page is too old'],
    ['client', 'Gatewarden This page is too old'],
    ['forbidden', 'Gatewarden This page is too old'],
    ['broken', 'Gatewarden This page is too old'],
  ])('fp4: says the heading of a %s error once, and always the request', (kind, words) => {
    const text = visibleText(render({ kind }))
    expect(text).toContain(words)
    expect(text).toContain('This page is too old Nothing was shared.')
    expect(text).toMatch(/mention request req-1/)
  })

  it('tells the author of the program what to fix, apart from what the person reads', () => {
    expect(visibleText(render({ kind: 'client', details: 'Register the address.' }))).toContain(
      'For the author of the program Register the address.',
    )
    expect(visibleText(render({ kind: 'client' }))).not.toContain('author')
  })

  it('offers the first action as the obvious one, links and forms alike', () => {
    const page = render({
      kind: 'forbidden',
      actions: [
        { label: 'Sign in as someone else', action: '/login', fields: { interaction: 'a"b' } },
        { label: 'Back to claude.ai', href: 'https://claude.ai/cb?error=access_denied&state=s' },
      ],
    })
    const looks = tags(page).filter((tag) => /^<(a|button)\s/.test(tag))
    expect(looks.map((tag) => attribute(tag, 'class'))).toEqual(['button primary', 'button'])
    expect(attribute(looks[1], 'href')).toBe('https://claude.ai/cb?error=access_denied&state=s')
    const hidden = tags(page).find((tag) => attribute(tag, 'type') === 'hidden')
    expect(attribute(hidden, 'name')).toBe('interaction')
    expect(attribute(hidden, 'value')).toBe('a"b')
    expect(page).toContain('<form method="post" action="/login">')
  })

  it('fp5: makes no action the obvious one that says it is not', () => {
    const page = render({
      kind: 'forbidden',
      actions: [{ label: 'Sign in as someone else', href: '/login', isSecondary: true }],
    })
    expect(page).toContain('<a class="button" href="/login">')
  })

  it('says that the page can be closed when there is nothing to do', () => {
    expect(visibleText(render())).toContain('You can close this page.')
  })

  it('never links to an address that runs something', () => {
    expect(() => render({ actions: [{ label: 'Go', href: 'javascript:alert(1)' }] })).toThrow(
      TypeError,
    )
    expect(() =>
      render({ actions: [{ label: 'Go', action: 'javascript:alert(1)', fields: {} }] }),
    ).toThrow(TypeError)
  })
})
