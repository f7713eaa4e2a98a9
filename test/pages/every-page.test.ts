import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { attribute, skeleton, tags, visibleText, withoutScripts } from './read-markup.ts'
import { long, MARKUP, markup, realistic, variants } from './variants.ts'

const hostile = new Map(variants(markup).map(({ name, html }) => [name, html]))

describe.each(variants(realistic))('$name', ({ name, html }) => {
  it('is made of the same elements and attributes whatever the words in it', () => {
    expect(skeleton(hostile.get(name) ?? '')).toEqual(skeleton(html))
  })

  it('shows or carries hostile words only escaped', () => {
    const page = hostile.get(name) ?? ''
    expect(withoutScripts(page)).not.toContain('<script')
    expect(page).not.toContain(MARKUP.slice(0, 5))
  })

  it('runs no script but those of the connect and login pages, of boxes and of fragments, and loads nothing', () => {
    expect(html.includes('<script')).toBe(
      /^(?:connect|login|fragment)|-fragment$|^consent-(?:boxes|tools)$/.test(name),
    )
    expect(withoutScripts(html)).not.toMatch(/<script|javascript:|\son[a-z]+=|\sstyle="/i)
    const addresses = tags(html).flatMap((tag) => attribute(tag, 'src') ?? [])
    const links = tags(html).filter((tag) => tag.startsWith('<link'))
    expect(addresses).toEqual([])
    expect(links.map((tag) => attribute(tag, 'href')?.slice(0, 5))).toEqual(['data:'])
  })

  it('says nothing in the words of the protocol', () => {
    expect(visibleText(html)).not.toMatch(
      /client[_ ]id|scope|redirect|uri|oauth|token|grant|undefined|null|\[object/i,
    )
  })

  it('has a language, one heading, landmarks, and its forms are posted', () => {
    const parts = tags(html)
    const count = (start: string) => parts.filter((tag) => tag.startsWith(start)).length
    expect(parts[0]).toBe('<!doctype html>')
    expect(attribute(parts[1], 'lang')).toBe('en')
    for (const once of ['<h1', '<main', '<header>', '<title>']) expect(count(once)).toBe(1)
    const forms = parts.filter((tag) => tag.startsWith('<form'))
    for (const form of forms) expect(attribute(form, 'method')).toBe('post')
  })

  it('has a name for every field that is seen', () => {
    const parts = tags(html)
    const fields = parts.filter((tag) => tag.startsWith('<input') && !/type="hidden"/.test(tag))
    const labelled = parts.flatMap((tag) => attribute(tag, 'for') ?? [])
    expect(labelled).toEqual(fields.map((tag) => attribute(tag, 'id')))
  })
})

it('keeps the values of a form to the byte, however hostile', () => {
  const { html } = variants(markup)[0] ?? { html: '' }
  const hidden = tags(html).find((tag) => attribute(tag, 'name') === 'interaction')
  expect(attribute(hidden, 'value')).toBe(MARKUP)
})

it('lets no text of a client into the title of the tab on the pages that decide', () => {
  for (const { name, html } of variants({ ...long, client: 'Client' })) {
    if (!/^(consent|login|continue)/.test(name)) continue
    expect(html.match(/<title>([^<]*)</)?.[1]).not.toContain('Client')
  }
})

it('quotes every attribute that has a value in the templates', () => {
  const folder = new URL('../../src/pages/', import.meta.url)
  for (const file of readdirSync(folder))
    expect(readFileSync(new URL(file, folder), 'utf8'), file).not.toMatch(/(?<!; url)=\$\{/)
})
