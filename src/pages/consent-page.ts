/**
 * The page that asks a person whether a client may use a resource: who asks, what for, what it will be able to do, and
 * where the answer goes, in this order.
 *
 * @module
 */
import { coveredBoxes } from './covered-boxes.ts'
import { displayText, isolated, UNNAMED_PROGRAM } from './display-text.ts'
import { type Html, html } from './html.ts'
import {
  destinationIcon,
  infoIcon,
  keyIcon,
  personIcon,
  programIcon,
  serverIcon,
  tickIcon,
} from './icons.ts'
import { layout } from './layout.ts'
import { linkTarget } from './link-target.ts'
import { type ToolChoice, toolChoice, toolChoiceScript, toolsLine } from './tool-choice.ts'

/** Where the answer goes: as the verified redirect URI says it, or to the device that asks for it. */
export type Destination =
  /** `host` with its port, shown small: the words matter, but the host must be on the page. */
  | { readonly kind: 'loopback'; readonly host?: string }
  | { readonly kind: 'host'; readonly host: string }
  /** A private-use scheme (RFC 8252 section 7.1), without its colon. */
  | { readonly kind: 'app'; readonly scheme: string }
  /** A device without a browser of its own, which shows this code (RFC 8628). */
  | { readonly kind: 'device'; readonly userCode: string }

/** How the name of the client is known: by its own word, by the operator's, or by the host that publishes it. */
export type Known = 'self-declared' | 'configured' | { readonly publishedBy: string }

export interface ConsentPage {
  /** Where the form is posted. */
  readonly action: string
  /** The sealed interaction. */
  readonly interaction: string
  readonly client: { readonly name: string; readonly known: Known }
  readonly resource: { readonly name: string; readonly host: string }
  /** The things that the client may do. A person may untick those with a box, and grants the others with any of them. */
  readonly scopes: readonly {
    readonly name: string
    readonly description: string
    readonly hasBox?: boolean
    /** The tools that it opens, by the word of the server. */
    readonly tools?: readonly string[]
    /** The names of those that it covers: a ticked box ticks theirs. */
    readonly covers?: readonly string[]
  }[]
  /** The person chooses among the tools of the server, in place of {@link scopes}. */
  readonly tools?: ToolChoice
  /** Comes back with the boxes, and tells which page the person saw. */
  readonly choice?: string
  /** The descriptions are the server's own, not the operator's. */
  readonly areScopesAnnounced?: boolean
  /**
   * The answer to an earlier page did not count: the person ticked nothing, ticked tools beside another choice, or the list
   * is another by now.
   */
  readonly askedAgain?: 'nothing' | 'unclear' | 'changed'
  readonly destination: Destination
  /** The whole redirect URI. */
  readonly address?: string
  /** The provider whose own token the client gets, which opens more than this server. Absent: it gets one of ours. */
  readonly tokenOf?: string
  /** The provider whose token of the person the server itself gets. Absent: it gets none. */
  readonly serverGetsTokenOf?: string
  /** The name of the person who is signed in, when known. */
  readonly person?: string
}

function howKnown(known: Known): Html | string {
  if (typeof known === 'object') {
    return html`Published by <b>${isolated(known.publishedBy)}</b>. This server has read its description there.`
  }
  switch (known) {
    case 'self-declared':
      return 'Nobody has checked this name.'
    case 'configured':
      return 'Known here: it was added by whoever runs this server.'
  }
}

function destinationLine(destination: Destination): Html {
  switch (destination.kind) {
    case 'loopback':
      return html`<b class="sentence">a program on this computer</b>`
    case 'host':
      return html`<b>${isolated(destination.host)}</b>`
    case 'app':
      return html`<b class="sentence">an app on this device</b><p class="quiet">the one that opens ${isolated(destination.scheme)}: links</p>`
    case 'device':
      return html`<b class="sentence">the device that shows this code</b><p class="code">${isolated(destination.userCode)}</p>`
  }
}

/** The whole address, or the host alone where it is not known. */
function addressLine({ destination, address }: ConsentPage): Html | undefined {
  const shown = address ?? (destination.kind === 'loopback' ? destination.host : undefined)
  return shown === undefined
    ? undefined
    : html`<p class="quiet"><span class="address">${isolated(shown)}</span></p>`
}

/** A single quiet sentence; none for a configured client that lives on a host of its own. */
function warning({ client, destination }: ConsentPage): Html | string | undefined {
  switch (destination.kind) {
    case 'loopback':
      return 'Any program on this computer can ask under this name: allow it only if you started it just now.'
    case 'app':
      return 'Any app on this device can open these links: allow it only if you started it just now.'
    case 'device':
      return html`<b>Go on only if you started this yourself, just now, on a device that shows this code.</b> If somebody sent you the code or a link, choose Deny: whoever has that device would use this server with your account.`
    case 'host':
      if (client.known === 'configured') return undefined
      if (typeof client.known === 'object' && client.known.publishedBy !== destination.host) {
        return html`The answer goes to <b>${isolated(destination.host)}</b>, which is not <b>${isolated(client.known.publishedBy)}</b>: allow this only if you started it just now and trust both.`
      }
      return 'Allow this only if you started it just now and trust where the answer goes.'
  }
}

type Scope = ConsentPage['scopes'][number]

const ASKED_AGAIN = {
  nothing: 'Leave at least one ticked, or choose Deny.',
  unclear: 'You ticked tools: choose to use only those, or untick them.',
  changed: 'This list has changed meanwhile. Read it again.',
} as const

/** True if a ticked box of the page ticks another one. */
export const hasCoveredBoxes = ({ scopes }: Pick<ConsentPage, 'scopes'>): boolean =>
  scopes.some(({ hasBox, covers = [] }) => hasBox && covers.length > 0)

/** The list of what the client may do; with boxes, the fields of the form say which of them are ticked. */
function scopeList(page: ConsentPage): Html {
  const { scopes, choice = 'boxes', askedAgain, areScopesAnnounced } = page
  const words = (scope: Scope) =>
    html`<span>${isolated(scope.description, displayText(scope.name))}${toolsLine(scope.tools ?? [])}</span>`
  const lines = scopes.map((scope, index) => {
    if (!scope.hasBox) return html`<li>${tickIcon}${words(scope)}</li>`
    const covers = scope.covers?.length ? html` data-covers="${scope.covers.join(' ')}"` : undefined
    return html`<li><label class="box-line" for="scope-${index}"><input type="checkbox" form="consent" id="scope-${index}" name="scope" value="${scope.name}" checked${covers}>${words(scope)}</label></li>`
  })
  const hasBoxes = scopes.some(({ hasBox }) => hasBox)
  const covering = hasCoveredBoxes(page)
  const problem =
    askedAgain && html`<p class="problem-line" role="alert">${ASKED_AGAIN[askedAgain]}</p>`
  if (page.tools) return html`${problem}${toolChoice(page.tools, choice)}`
  return html`${problem}
<ul>${lines}</ul>
${hasBoxes && html`<input type="hidden" form="consent" name="choice" value="${choice}"><p class="quiet">Untick what it should not do.${covering && ' A ticked box also allows each box whose tools it has.'}</p>`}
${areScopesAnnounced && html`<p class="quiet">The server describes this in its own words.</p>`}`
}

/** What the client gets: permissions here, or a token of the provider, of which this server does not know all uses. */
function gain(page: ConsentPage): Html {
  if (page.tokenOf === undefined) {
    return html`<dt>${keyIcon}What it will be able to do there</dt><dd>${scopeList(page)}</dd>`
  }
  const provider = isolated(page.tokenOf)
  return html`<dt>${keyIcon}What it gets</dt><dd><b class="sentence">Your own token of ${provider}</b><p class="quiet">With it, the program acts as you here, and at everything else that accepts tokens of ${provider}: this server cannot limit that.</p></dd>`
}

/** The server acts as the person elsewhere, whatever program asks (threat T8). */
function tokenOfServer({ serverGetsTokenOf, resource }: ConsentPage): Html | undefined {
  if (serverGetsTokenOf === undefined) return undefined
  const provider = isolated(serverGetsTokenOf)
  return html`<div><dt>${keyIcon}What the server gets</dt><dd><b class="sentence">Your own token of ${provider}</b><p class="quiet">With it, ${isolated(resource.name, resource.host)} can act as you at everything that accepts tokens of ${provider}, while this permission lasts. Allow it only if you trust whoever runs that server.</p></dd></div>`
}

/** The document. Deny comes first and is as large as Allow; the form posts `interaction` and `decision`. */
export function consentPage(page: ConsentPage): string {
  const caution = warning(page)
  return layout({
    title: `Allow access to ${displayText(page.resource.name, page.resource.host)}?`,
    main: html`<h1>Allow access?</h1>
<dl>
<div><dt>${programIcon}Who is asking</dt><dd><b>${isolated(page.client.name, UNNAMED_PROGRAM)}</b><p class="quiet">${howKnown(page.client.known)}</p></dd></div>
<div><dt>${serverIcon}What for</dt><dd><b>${isolated(page.resource.name, page.resource.host)}</b><p class="quiet">${isolated(page.resource.host)}</p></dd></div>
<div>${gain(page)}</div>
${tokenOfServer(page)}
<div class="destination"><dt>${destinationIcon}Where the answer goes</dt><dd>${destinationLine(page.destination)}${addressLine(page)}</dd></div>
</dl>
${caution !== undefined && html`<p class="note">${infoIcon}<span>${caution}</span></p>`}
<form method="post" action="${linkTarget(page.action)}" id="consent">
<input type="hidden" name="interaction" value="${page.interaction}">
<div class="buttons">
<button class="button" name="decision" value="deny">Deny</button>
<span class="hold"><button class="button primary" name="decision" value="approve">Allow</button></span>
</div>
${
  page.person === undefined
    ? html`<p class="identity">${personIcon}<span>If you allow this, you will be asked to sign in next.</span></p>`
    : html`<p class="identity">${personIcon}<span>Signed in as <b>${isolated(page.person)}</b>. <span class="together">Not you? <button class="plain" name="decision" value="someone-else">Use another account</button></span></span></p>`
}
</form>
${hasCoveredBoxes(page) && coveredBoxes()}
${page.tools && toolChoiceScript()}`,
  })
}
