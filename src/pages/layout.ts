/**
 * The pages that people see. This folder owns one file a page, and the escaping template tag they are made of; it does
 * no I/O and knows no setting. This file is the frame of every page: one card, our mark above it, one `h1` inside.
 *
 * @module
 */
import { dangerouslyUnescapedStyleElement, type Html, html } from './html.ts'
import { GATE_ICON_ADDRESS, gateIcon } from './icons.ts'
import { STYLESHEET } from './styles.ts'

/** The head of every page, in whose place an operator's own may stand (`brand.ts`). */
export const HEADER: Html = html`<header>${gateIcon}<span>Gatewarden</span></header>`

const STYLE_ELEMENT = dangerouslyUnescapedStyleElement(STYLESHEET)

/** The beginning of every page of ours. */
export const DOCUMENT = '<!doctype html>\n<html lang="en">\n'

/**
 * A whole document.
 * @param options.title the title of the browser's tab; never a text that a client chose
 * @param options.head more elements of `<head>`
 * @param options.main the content of the card, with its `h1`
 */
export function layout(options: {
  readonly title: string
  readonly head?: Html
  readonly main: Html
}): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${options.title}</title>
${options.head}
<link rel="icon" href="${GATE_ICON_ADDRESS}">
${STYLE_ELEMENT}
</head>
<body>
${HEADER}
<main>
${options.main}
</main>
</body>
</html>
`.toString()
}

/** The same document for a frame: its links open in the whole window, since no login shows itself in a frame. */
export const inFrame = (document: string): string =>
  document.replace('<head>', '<head>\n<base target="_top">')

/** The line with the request id, by which a helper finds the request in the log. */
export function requestLine(requestId: string): Html {
  return html`<p class="request">If you ask for help, mention request <code>${requestId}</code></p>`
}
