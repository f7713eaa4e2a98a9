/**
 * The page that a browser gets with the 401 at the address of a protected MCP server.
 *
 * @module
 */
import { displayText, isolated } from './display-text.ts'
import { html } from './html.ts'
import { layout, requestLine } from './layout.ts'

export interface SignInNeededPage {
  readonly resourceName: string
  /** The address to give to an MCP client. */
  readonly resourceUrl: string
  readonly requestId: string
}

/** The document. It says nothing that the challenge beside it does not say. */
export function signInNeededPage(page: SignInNeededPage): string {
  return layout({
    title: displayText(page.resourceName, 'MCP server'),
    main: html`<h1>${isolated(page.resourceName, 'This MCP server')} is behind a login</h1>
<p>This is an MCP server: a service for AI assistants and other programs, with nothing to see in a browser. Add its address to your MCP client, which will ask you to sign in.</p>
<section class="box"><h2>Address</h2><p><code class="address">${page.resourceUrl}</code></p></section>
${requestLine(page.requestId)}`,
  })
}
