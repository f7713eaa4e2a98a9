/**
 * The operator's own look of the pages: name, logo, colour, and where people get help (case fp1). A document is dressed
 * when it leaves, as a whole, so that no page can forget it.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { readable } from './accent.ts'
import { isolated } from './display-text.ts'
import type { ErrorAction } from './error-page.ts'
import { dangerouslyUnescapedStyleElement, type Html, html } from './html.ts'
import { HEADER } from './layout.ts'
import { linkTarget } from './link-target.ts'
import { BACKGROUNDS } from './styles.ts'

export interface BrandOptions {
  readonly name?: string
  /** A `data:` image, or an address on our own origin. */
  readonly logo?: string
  /** As `#rrggbb`. */
  readonly color?: string
  /** Where people get help: a `mailto:` or https address. */
  readonly support?: string
  /** For people who do not know their password; shown where they type it. */
  readonly loginHelp?: string
}

/** A person who is not let in, and where. */
export interface AccessQuestion {
  readonly resourceName: string
  readonly person?: string
  readonly requestId: string
}

export interface Brand {
  readonly loginHelp: string | undefined
  /** The link by which a person asks to be let in, if the operator has an address for it. */
  askForAccess(question: AccessQuestion): ErrorAction | undefined
  /** A document of ours with the operator's look. */
  dress(document: string): string
  /** The `Content-Security-Policy` of a page, widened by exactly what {@link dress} adds. */
  dressPolicy(policy: string): string
}

export function createBrand({ name, logo, color, support, loginHelp }: BrandOptions): Brand {
  const style = color === undefined ? undefined : styleFor(color)
  const header = name === undefined ? undefined : headerOf(name, logo)
  const footer = support === undefined ? undefined : footerOf(support)
  return {
    loginHelp,
    askForAccess: (question) =>
      support === undefined
        ? undefined
        : {
            label: `Ask ${nameOf(support)} for access`,
            href: support.startsWith('mailto:') ? support + messageOf(question) : support,
          },
    // The first of each is ours: no text in a page can hold an element.
    dress: (document) =>
      document
        .replace('</head>', () => `${style ? dangerouslyUnescapedStyleElement(style) : ''}</head>`)
        .replace(HEADER.toString(), (standard) => (header ?? standard).toString())
        .replace('</main>', () => `</main>${footer ?? ''}`),
    dressPolicy: (policy) =>
      policy
        .replace(/style-src [^;]*/, (sources) => (style ? `${sources} ${hashOf(style)}` : sources))
        .replace(/img-src [^;]*/, (sources) =>
          logo === undefined || logo.startsWith('data:') ? sources : `${sources} ${logo}`,
        ),
  }
}

/** The colour for each scheme. */
function styleFor(color: string): string {
  const light = readable(color, { on: BACKGROUNDS.light, towards: '#000000' })
  const dark = readable(color, { on: BACKGROUNDS.dark, towards: '#ffffff' })
  return `:root { --accent: ${light}; } @media (prefers-color-scheme: dark) { :root { --accent: ${dark}; } }`
}

const hashOf = (style: string) => `'sha256-${createHash('sha256').update(style).digest('base64')}'`

/** An image element runs no script, whatever is in the image, and tells its host nothing about the page. */
const headerOf = (name: string, logo: string | undefined): Html =>
  html`<header>${
    logo !== undefined && html`<img src="${logo}" alt="" referrerpolicy="no-referrer">`
  }<span>${isolated(name)}</span></header>`

const footerOf = (support: string): Html =>
  html`<footer>Help: <a href="${linkTarget(support)}">${isolated(nameOf(support))}</a></footer>`

/** The address as people know it. */
const nameOf = (support: string) =>
  support.startsWith('mailto:')
    ? decodeURIComponent(support.slice('mailto:'.length))
    : new URL(support).host

/** Subject and text of the message (RFC 6068 section 2). */
function messageOf({ resourceName, person, requestId }: AccessQuestion): string {
  const who = person === undefined ? '' : ` I am signed in as ${person}.`
  const fields = {
    subject: `Access to ${resourceName}`,
    body: `Please let me use ${resourceName}.${who} The request number is ${requestId}.`,
  }
  // Mail programs take a plus for a plus.
  const pairs = Object.entries(fields).map(([name, text]) => [name, encodeURIComponent(text)])
  return `?${pairs.map((pair) => pair.join('=')).join('&')}`
}
