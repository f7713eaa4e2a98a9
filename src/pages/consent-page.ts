/**
 * The page that asks a person whether a client may use a resource: who asks, what for, what it will be able to do, and
 * where the answer goes, in this order.
 *
 * @module
 */
import { displayText, isolated, UNNAMED_PROGRAM } from './display-text.ts'
import { type Html, html } from './html.ts'
import { infoIcon, tickIcon } from './icons.ts'
import { layout } from './layout.ts'
import { linkTarget } from './link-target.ts'

/** Where the answer goes, as the verified redirect URI says it. */
export type Destination =
  /** `host` with its port, shown small: the words matter, but the host must be on the page. */
  | { readonly kind: 'loopback'; readonly host?: string }
  | { readonly kind: 'host'; readonly host: string }
  /** A private-use scheme (RFC 8252 section 7.1), without its colon. */
  | { readonly kind: 'app'; readonly scheme: string }

export interface ConsentPage {
  /** Where the form is posted. */
  readonly action: string
  /** The sealed interaction. */
  readonly interaction: string
  readonly client: { readonly name: string; readonly known: 'self-declared' | 'configured' }
  readonly resource: { readonly name: string; readonly host: string }
  readonly scopes: readonly { readonly name: string; readonly description: string }[]
  readonly destination: Destination
  /** The whole redirect URI. */
  readonly address?: string
  /** The name of the person who is signed in, when known. */
  readonly person?: string
}

function howKnown(known: ConsentPage['client']['known']): string {
  switch (known) {
    case 'self-declared':
      return 'This name was given by the program itself. It has not been checked.'
    case 'configured':
      return 'Known here: it was added by whoever runs this server.'
  }
}

function destinationLine(destination: Destination): Html {
  switch (destination.kind) {
    case 'loopback':
      return html`<b class="sentence">a program on this computer</b>${
        destination.host !== undefined &&
        html`<p class="quiet">at ${isolated(destination.host)}</p>`
      }`
    case 'host':
      return html`<b>${isolated(destination.host)}</b>`
    case 'app':
      return html`<b class="sentence">an app on this device</b><p class="quiet">the one that opens ${isolated(destination.scheme)}: links</p>`
  }
}

/** A single quiet sentence; none for a configured client that lives on a host of its own. */
function warning({ client, destination }: ConsentPage): Html | undefined {
  switch (destination.kind) {
    case 'loopback':
      return html`Any program on this computer could be asking under this name, so allow this only if you started it yourself just now.`
    case 'app':
      return html`Any app on this device could be opening these links, so allow this only if you started it yourself just now.`
    case 'host':
      return client.known === 'configured'
        ? undefined
        : html`Anyone can choose this name, so allow this only if you trust <b>${isolated(destination.host)}</b> and started it yourself.`
  }
}

/** The document. Deny comes first and is as large as Allow; the form posts `interaction` and `decision`. */
export function consentPage(page: ConsentPage): string {
  const client = isolated(page.client.name, UNNAMED_PROGRAM)
  const resource = isolated(page.resource.name, page.resource.host)
  const caution = warning(page)
  return layout({
    title: `Allow access to ${displayText(page.resource.name, page.resource.host)}?`,
    main: html`<h1>Allow ${client} to use ${resource}?</h1>
<dl>
<div><dt>Who is asking</dt><dd><b>${client}</b><p class="quiet">${howKnown(page.client.known)}</p></dd></div>
<div><dt>What for</dt><dd><b>${resource}</b><p class="quiet">${isolated(page.resource.host)}</p></dd></div>
<div><dt>What it will be able to do in ${resource}</dt><dd><ul>${page.scopes.map(
      ({ name, description }) =>
        html`<li>${tickIcon}<span>${isolated(description, displayText(name))}</span></li>`,
    )}</ul></dd></div>
<div><dt>Where the answer goes</dt><dd>${destinationLine(page.destination)}${page.address !== undefined && html`<p class="quiet"><span class="address">${isolated(page.address)}</span></p>`}</dd></div>
</dl>
${caution && html`<p class="note">${infoIcon}<span>${caution}</span></p>`}
<form method="post" action="${linkTarget(page.action)}">
<input type="hidden" name="interaction" value="${page.interaction}">
<div class="buttons">
<button class="button" name="decision" value="deny">Deny</button>
<span class="hold"><button class="button primary" name="decision" value="approve">Allow</button></span>
</div>
${
  page.person === undefined
    ? html`<p class="request">If you allow this, you will be asked to sign in next.</p>`
    : html`<p class="request">You are signed in as <b>${isolated(page.person)}</b>. Not you? <button class="plain" name="decision" value="someone-else">Use another account</button></p>`
}
</form>`,
  })
}
