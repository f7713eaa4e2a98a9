/**
 * The page for a person who opened the address of an MCP server in a browser: it works, and here is what to paste.
 *
 * @module
 */
import { type ClientLines, clientLines } from './client-lines.ts'
import { displayText, isolated } from './display-text.ts'
import { type Html, html } from './html.ts'
import { layout, requestLine } from './layout.ts'
import { linkTarget } from './link-target.ts'

export interface ServerPage {
  readonly resourceName: string
  /** The name that a client gets for it: letters, digits, `-` and `_`. */
  readonly name: string
  /** The address to give to an MCP client. */
  readonly url: string
  /** The person who is signed in; undefined at a path that needs no login. */
  readonly person?: string
  readonly signOutUrl: string
  readonly requestId: string
}

/** The document. */
export function serverPage(page: ServerPage): string {
  return layout({
    title: displayText(page.resourceName, 'MCP server'),
    main: html`<h1>${isolated(page.resourceName, 'This MCP server')} is ready</h1>
${page.person !== undefined && html`<p>It works: you are signed in as <b>${isolated(page.person)}</b>.</p>`}
<p>This address is for MCP clients: a browser has nothing to show here. Paste it into your client, which will ask you to sign in.</p>
${clientSections(clientLines(page))}
<div class="buttons stacked"><a class="button" href="${linkTarget(page.signOutUrl)}">Sign out</a></div>
${requestLine(page.requestId)}`,
  })
}

/** A box for each client. */
export const clientSections = (clients: readonly ClientLines[]): readonly Html[] =>
  clients.map(
    ({ where, lines }) =>
      html`<section class="box"><h2>${where}</h2>${lines.map(
        (line) => html`<p><code class="address">${line}</code></p>`,
      )}</section>`,
  )
