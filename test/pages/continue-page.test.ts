import { describe, expect, it } from 'vitest'
import { appPage, continuePage } from '../../src/pages/continue-page.ts'
import { attribute, tags, visibleText } from './read-markup.ts'

const render = (to: string) => continuePage({ to, label: 'Continue to Claude' })

describe('continuePage', () => {
  it('goes on at once and by a visible link, to the same address to the byte', () => {
    const to = `https://claude.ai/api/mcp/auth_callback?code=a'b"c&state=x;url=y,%20z&iss=i`
    const page = render(to)
    const refresh = tags(page).find((tag) => attribute(tag, 'http-equiv') === 'refresh')
    const link = tags(page).find((tag) => tag.startsWith('<a '))
    expect(attribute(refresh, 'content')).toBe(`0; url=${to}`)
    expect(attribute(link, 'href')).toBe(to)
    expect(visibleText(page)).toContain('Continue to Claude')
  })

  it.each(['https://claude.ai/cb', 'http://localhost:33418/cb', '/login?interaction=i'])(
    'says that %s is on its way',
    (to) => {
      expect(visibleText(render(to))).toContain('If nothing happens')
    },
  )

  it.each(['cursor://anysphere.cursor-mcp/oauth/callback?code=c', 'com.example.app:/cb?code=c'])(
    'says that the page may be closed once %s has opened its app',
    (to) => {
      for (const allowed of [true, false]) {
        const page = appPage({ to, label: 'Open cursor', allowed })
        expect(visibleText(page)).toContain('you can close this page')
        expect(page).not.toContain('http-equiv="refresh"')
        expect(tags(page).filter((tag) => tag.startsWith('<a '))).toHaveLength(1)
      }
    },
  )

  it.each([
    'javascript:alert(1)',
    ' \tjava\nscript:alert(1)',
    'DATA:text/html,<script>alert(1)</script>',
    'vbscript:x',
    'blob:https://a.example/x',
    'file:///etc/passwd',
    'https://',
  ])('never leads to %j', (to) => {
    expect(() => render(to)).toThrow(TypeError)
    expect(() => appPage({ to, label: 'Open', allowed: true })).toThrow(TypeError)
  })
})
