/**
 * Reads a rendered page for the tests.
 *
 * @module
 */

/** The page without the scripts and the data of the connect and login pages: the only ones a page may hold. */
export function withoutScripts(page: string): string {
  return page.replace(
    /<script(?: type="application\/json" id="data"| nonce="[\w-]+")?>[^<]*<\/script>/g,
    '',
  )
}

/** The text that a person can read, with the tab's title: no stylesheet, scripts or tags, entities resolved. */
export function visibleText(page: string): string {
  return decode(
    withoutScripts(page)
      .replace(/<style>[^<]*<\/style>/, '')
      .replace(TAG, ' '),
  ).replace(/\s+/g, ' ')
}

/** Every tag with the names of its attributes, in order: the structure of a page without its words. */
export function skeleton(page: string): readonly string[] {
  return tags(page).map((tag) => tag.replace(/="[^"]*"/g, '='))
}

/** The opening and closing tags in order. */
export function tags(page: string): readonly string[] {
  return page.match(TAG) ?? []
}

/** The value of a quoted attribute of a tag, entities resolved. */
export function attribute(tag: string | undefined, name: string): string | undefined {
  const value = tag?.match(new RegExp(`\\s${name}="([^"]*)"`))?.[1]
  return value === undefined ? undefined : decode(value)
}

const TAG = /<[!/a-z](?:[^"'<>]|"[^"]*"|'[^']*')*>/gi

const CHARACTERS: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&amp;': '&',
}

function decode(text: string): string {
  return text.replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => CHARACTERS[entity] ?? '')
}
