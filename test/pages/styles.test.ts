import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { pageHeaders } from '../../src/pages/styles.ts'
import { realistic, variants } from './variants.ts'

const policy = () => pageHeaders()['Content-Security-Policy']

describe('pageHeaders', () => {
  it.each(variants(realistic))('allows exactly the stylesheet that $name carries', ({ html }) => {
    const css = html.match(/<style>([^<]*)<\/style>/)?.[1] ?? ''
    const hash = createHash('sha256').update(css).digest('base64')
    expect(css).not.toBe('')
    expect(policy()).toContain(`style-src 'sha256-${hash}';`)
  })

  it('allows no script, no frame around it and no other base', () => {
    expect(policy()?.replace(/sha256-[^']+/, 'hash')).toBe(
      "default-src 'none'; style-src 'hash'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'",
    )
    expect(pageHeaders()).toMatchObject({
      'Content-Type': 'text/html; charset=utf-8',
      'X-Frame-Options': 'DENY',
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'no-store',
    })
  })

  it('has no form-action, which Chromium would apply to the way back to the client', () => {
    expect(policy()).not.toContain('form-action')
  })

  it('leaves the opener of a pop-up alone', () => {
    expect(Object.keys(pageHeaders()).join().toLowerCase()).not.toContain('opener')
  })

  it('keeps the Origin of our own forms, and hides the address from where a page navigates to', () => {
    expect(pageHeaders()['Referrer-Policy']).toBe('same-origin')
    expect(pageHeaders({ navigatesAway: true })['Referrer-Policy']).toBe('no-referrer')
  })
})
