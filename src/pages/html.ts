/**
 * Markup that is safe by construction: everything put into an `html` template is escaped, unless it is `Html` itself.
 *
 * @module
 */

/** A value of a template. Objects, functions and promises are type errors; absent values render nothing. */
export type Value = Html | string | number | undefined | null | false | readonly Value[]

let fromSafeMarkup: (markup: string) => Html

/** Markup that is already safe. A plain string can never be mistaken for it: only this module can make one. */
export class Html {
  readonly #markup: string

  private constructor(markup: string) {
    this.#markup = markup
  }

  static {
    fromSafeMarkup = (markup) => new Html(markup)
  }

  toString(): string {
    return this.#markup
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

function render(value: Value): string {
  if (value === undefined || value === null || value === false) return ''
  if (value instanceof Html) return value.toString()
  if (typeof value === 'string' || typeof value === 'number') return escapeText(String(value))
  return value.map(render).join('')
}

/** Template tag. Values are safe as text and inside quoted attributes; an attribute is therefore always quoted. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return fromSafeMarkup(strings.map((markup, index) => markup + render(values[index])).join(''))
}

/**
 * The first of two ways around escaping: a `<style>` element that holds `css` byte for byte, because the page's policy
 * allows it by hash.
 * @throws TypeError for a stylesheet that could close its own element
 */
export function dangerouslyUnescapedStyleElement(css: string): Html {
  if (css.includes('<')) throw new TypeError('a stylesheet must not contain "<"')
  return fromSafeMarkup(`<style>${css}</style>`)
}

/**
 * The second way around escaping: a `<script>` element that holds a script of ours byte for byte and runs by its nonce,
 * or without one by its hash.
 * @throws TypeError for a script that could close its own element
 */
export function dangerouslyUnescapedScriptElement(script: string, nonce?: string): Html {
  if (script.includes('<')) throw new TypeError('a script must not contain "<"')
  const permit = nonce !== undefined && html` nonce="${nonce}"`
  return html`<script${permit}>${fromSafeMarkup(script)}</script>`
}

/** Data for a script, in an element that browsers do not run; no text in it can close the element or open another. */
export function jsonElement(id: string, data: Readonly<Record<string, string | number>>): Html {
  const json = JSON.stringify(data).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return html`<script type="application/json" id="${id}">${fromSafeMarkup(json)}</script>`
}
