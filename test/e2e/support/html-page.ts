/**
 * Reads the parts of HTML that a browser without scripts uses: forms, and a refresh to another address. It can read our
 * own pages and those of the providers in the tests, not all HTML.
 *
 * @module
 */

export interface Form {
  /** The attribute as written; empty if the form posts to the page's own address. */
  readonly action: string
  readonly method: string
  readonly inputs: readonly Control[]
  readonly buttons: readonly Control[]
}

/** An input or a button. */
export interface Control {
  readonly type: string
  readonly name: string
  readonly value: string
  /** True if a checkbox or radio button is checked. */
  readonly checked: boolean
}

/** The forms of a document, in order. */
export function readForms(html: string): readonly Form[] {
  return [...html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gis)].map(([, tag = '', content = '']) => {
    const form = attributes(tag)
    return {
      action: form.get('action') ?? '',
      method: (form.get('method') ?? 'get').toUpperCase(),
      inputs: controls(content, 'input', 'text'),
      buttons: controls(content, 'button', 'submit'),
    }
  })
}

/** The address in the document's refresh, or undefined. */
export function readRefresh(html: string): string | undefined {
  for (const [, tag = ''] of html.matchAll(/<meta\b([^>]*)>/gi)) {
    const meta = attributes(tag)
    if (meta.get('http-equiv')?.toLowerCase() !== 'refresh') continue
    const to = /^\s*\d+\s*;\s*url=(.*)$/is.exec(meta.get('content') ?? '')?.[1]
    if (to) return to.trim()
  }
  return undefined
}

/** The text of a document without its tags, for messages. */
export function readText(html: string): string {
  return decode(html.replace(/<(style|script)\b.*?<\/\1>/gis, '').replace(/<[^>]*>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim()
}

function controls(html: string, element: string, defaultType: string): Control[] {
  return [...html.matchAll(new RegExp(`<${element}\\b([^>]*)>`, 'gi'))].map(([, tag = '']) => {
    const found = attributes(tag)
    return {
      type: found.get('type') ?? defaultType,
      name: found.get('name') ?? '',
      value: found.get('value') ?? '',
      checked: found.has('checked'),
    }
  })
}

function attributes(tag: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const [, name = '', quoted, apostrophed, bare] of tag.matchAll(
    /([^\s"'=/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g,
  )) {
    found.set(name.toLowerCase(), decode(quoted ?? apostrophed ?? bare ?? ''))
  }
  return found
}

const NAMED = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
])

function decode(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (name) return NAMED.get(name) ?? whole
    return String.fromCodePoint(hex ? Number.parseInt(hex, 16) : Number(decimal))
  })
}
