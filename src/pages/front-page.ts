/**
 * The front page of a gateway on the person's own computer: what runs, who is signed in, what to paste into which client.
 *
 * @module
 */
import { clientLines } from './client-lines.ts'
import { isolated } from './display-text.ts'
import { html } from './html.ts'
import { layout, requestLine } from './layout.ts'
import { linkTarget } from './link-target.ts'
import { clientSections } from './server-page.ts'

export interface FrontPageServer {
  readonly resourceName: string
  /** The name that a client gets for it: letters, digits, `-` and `_`. */
  readonly name: string
  readonly url: string
}

export interface FrontPage {
  readonly servers: readonly FrontPageServer[]
  /** The person whom this browser is signed in as. */
  readonly person?: string
  /** Ends the browser's session. */
  readonly signOutUrl: string
  readonly requestId: string
}

/** The document. The first server's lines stand whole; of the others the address is enough. */
export function frontPage(page: FrontPage): string {
  const [first, ...others] = page.servers
  return layout({
    title: 'Gatewarden',
    main: html`<h1>Gatewarden is running</h1>
<p>It asks people to sign in before they use ${page.servers.length === 1 ? 'this MCP server' : 'these MCP servers'}. To stop it, press Ctrl-C where you started it.</p>
${
  page.person === undefined
    ? html`<p>Nobody is signed in with this browser.</p>`
    : html`<p>You are signed in as <b>${isolated(page.person)}</b>.</p>`
}
${first && [html`<h2>${isolated(first.resourceName, 'The MCP server')}</h2>`, html`<section class="box"><h2>Address</h2><p><code class="address">${first.url}</code></p></section>`, clientSections(clientLines(first))]}
${others.map(
  (server) =>
    html`<section class="box"><h2>${isolated(server.resourceName, 'MCP server')}</h2><p><code class="address">${server.url}</code></p></section>`,
)}
${
  page.person !== undefined &&
  html`<div class="buttons stacked"><a class="button" href="${linkTarget(page.signOutUrl)}">Sign out</a></div>`
}
${requestLine(page.requestId)}`,
  })
}
