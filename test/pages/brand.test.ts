/** fp1: the operator's name, logo, colour and address on every page, and nothing else. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { contrast, readable } from '../../src/pages/accent.ts'
import { createBrand } from '../../src/pages/brand.ts'
import { BACKGROUNDS, pageHeaders } from '../../src/pages/styles.ts'
import { attribute, tags, visibleText } from './read-markup.ts'
import { MARKUP, realistic, variants } from './variants.ts'

const LOGO = 'data:image/svg+xml;base64,PHN2Zy8+'
const brand = createBrand({
  name: 'Example Inc.',
  logo: LOGO,
  color: '#ffcc00',
  support: 'mailto:help@example.com',
})
const NO_BRAND = createBrand({})
const policyOf = (headers: Readonly<Record<string, string>>) =>
  headers['Content-Security-Policy'] ?? ''

describe.each(variants(realistic))('$name', ({ html, headers }) => {
  const dressed = brand.dress(html)

  it('shows name, logo and address once, and our name no more', () => {
    const header = /<header>.*?<\/header>/s.exec(dressed)?.[0] ?? ''
    expect(visibleText(header).trim()).toBe('Example Inc.')
    expect(attribute(tags(header)[1], 'src')).toBe(LOGO)
    expect(dressed.match(/href="mailto:help@example\.com"/g)).toHaveLength(1)
    expect(dressed.match(/<main>/g)).toHaveLength(1)
  })

  it('allows exactly the styles that it has', () => {
    const policy = brand.dressPolicy(policyOf(headers ?? pageHeaders()))
    const styles = [...dressed.matchAll(/<style>(.*?)<\/style>/gs)].map(
      ([, css = '']) => `'sha256-${createHash('sha256').update(css).digest('base64')}'`,
    )
    expect(/style-src ([^;]*)/.exec(policy)?.[1]?.split(' ')).toEqual(styles)
  })

  it('stays as it is without a brand', () => {
    expect(NO_BRAND.dress(html)).toBe(html)
    expect(NO_BRAND.dressPolicy("style-src 'x'; img-src data:")).toBe(
      "style-src 'x'; img-src data:",
    )
  })
})

it('T16: a name is text, and never markup', () => {
  const [page] = variants(realistic)
  const dressed = createBrand({ name: MARKUP }).dress(page?.html ?? '')
  expect(dressed).not.toContain('<script>')
  expect(dressed).not.toContain(MARKUP.slice(0, 5))
})

it('T16: a replacement pattern in a name replaces nothing', () => {
  const dressed = createBrand({ name: "$' $& $`" }).dress(variants(realistic)[0]?.html ?? '')
  expect(dressed.match(/<body>/g)).toHaveLength(1)
  expect(dressed).toContain('$&#39; $&amp; $`')
})

it('lets pages load the logo of our own host, by its whole address', () => {
  const { dressPolicy } = createBrand({ name: 'E', logo: 'https://auth.example.com/logo.png' })
  expect(dressPolicy("img-src 'self' data:; base-uri 'none'")).toBe(
    "img-src 'self' data: https://auth.example.com/logo.png; base-uri 'none'",
  )
})

describe('the colour', () => {
  it.each(['#ffcc00', '#ffffff', '#000000', '#0b5fff', '#777777', '#14594d', '#ff0000'])(
    '%s can be read in both schemes',
    (colour) => {
      const light = readable(colour, { on: BACKGROUNDS.light, towards: '#000000' })
      const dark = readable(colour, { on: BACKGROUNDS.dark, towards: '#ffffff' })
      for (const one of BACKGROUNDS.light) expect(contrast(light, one)).toBeGreaterThanOrEqual(4.5)
      for (const one of BACKGROUNDS.dark) expect(contrast(dark, one)).toBeGreaterThanOrEqual(4.5)
      const { dress } = createBrand({ color: colour })
      const page = dress(variants(realistic)[0]?.html ?? '')
      expect(page).toContain(`--accent: ${light}`)
      expect(page).toContain(`--accent: ${dark}`)
    },
  )

  it('stays as it is where it can be read', () => {
    expect(readable('#14594d', { on: BACKGROUNDS.light, towards: '#000000' })).toBe('#14594d')
  })
})

describe('a person who is not let in', () => {
  const refusal = { resourceName: 'Team notes & more', person: 'ann@example.com', requestId: 'r-1' }

  it('writes a message that says for what, as whom, and which request', () => {
    const ask = brand.askForAccess(refusal)
    const url = new URL(ask && 'href' in ask ? ask.href : '')
    expect(ask?.label).toBe('Ask help@example.com for access')
    expect(url.pathname).toBe('help@example.com')
    expect(url.searchParams.get('subject')).toBe('Access to Team notes & more')
    expect(url.searchParams.get('body')).toContain('ann@example.com')
    expect(url.searchParams.get('body')).toContain('r-1')
  })

  it('opens the page for help, where there is one, and is asked nothing without an address', () => {
    const { askForAccess } = createBrand({ support: 'https://help.example.com/it' })
    expect(askForAccess(refusal)).toEqual({
      label: 'Ask help.example.com for access',
      href: 'https://help.example.com/it',
    })
    expect(NO_BRAND.askForAccess(refusal)).toBeUndefined()
  })
})
