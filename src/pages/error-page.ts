/**
 * The page for a person who cannot go on: what happened, who can fix it, and one thing to do next.
 *
 * @module
 */
import { isolated } from './display-text.ts'
import { CARRIES_FRAGMENT, carryFragment } from './fragment.ts'
import { type Html, html } from './html.ts'
import { againIcon, alertIcon, stopIcon } from './icons.ts'
import { layout, requestLine } from './layout.ts'
import { linkTarget } from './link-target.ts'

/**
 * The people who can fix it: the person (`retry`: nothing wrong, try again), the program's author (`client`), the
 * operator (`forbidden`: this person may not), or us (`broken`).
 */
export type ErrorKind = 'retry' | 'client' | 'forbidden' | 'broken'

/** The store is away; what was begun is still there when it is back. */
export const OUTAGE_WORDS = {
  kind: 'broken',
  title: 'Not available at this moment',
  text: 'Nothing is lost. Wait a few seconds, then reload this page.',
} as const

/** A fault of ours. */
export const FAULT_WORDS = {
  kind: 'broken',
  title: 'Something went wrong here',
  text: 'You did nothing wrong. Tell whoever runs this server the request number below.',
} as const

/** Something to do next: a link, or a form of hidden fields. */
export type ErrorAction = {
  readonly label: string
  /** True for an action that is never the obvious one. */
  readonly isSecondary?: boolean
} & (
  | {
      readonly href: string
      /** True for an address of ours that leads on to a page: it gets the fragment that the browser shows. */
      readonly carriesFragment?: boolean
    }
  | {
      readonly action: string
      readonly fields: Readonly<Record<string, string>>
    }
)

export interface ErrorPage {
  readonly kind: ErrorKind
  readonly title: string
  readonly text: string
  /** The mistake that the program's author must fix, in the protocol's own names: authors search for them. */
  readonly details?: string
  readonly requestId: string
  /** The first is the primary button, unless it says that it is not. */
  readonly actions: readonly ErrorAction[]
}

/** A heading says the rest: no line above it says the same again (case fp4). */
const KINDS: Readonly<Record<ErrorKind, { readonly icon: Html; readonly words?: string }>> = {
  retry: { icon: againIcon, words: 'You did nothing wrong' },
  client: { icon: alertIcon },
  forbidden: { icon: stopIcon },
  broken: { icon: alertIcon },
}

/** True for an action whose page needs the script of `fragment.ts`. */
export const carriesFragment = (action: ErrorAction): boolean =>
  'href' in action && action.carriesFragment === true

function actionElement(action: ErrorAction, index: number): Html {
  const look = index === 0 && !action.isSecondary ? 'button primary' : 'button'
  const label = isolated(action.label, 'Continue')
  if ('href' in action) {
    const mark = carriesFragment(action) && CARRIES_FRAGMENT
    return html`<a class="${look}" href="${linkTarget(action.href)}"${mark}>${label}</a>`
  }
  return html`<form method="post" action="${linkTarget(action.action)}">${Object.entries(
    action.fields,
  ).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<button class="${look}">${label}</button></form>`
}

/** The document. It always names the request; a link to another host needs that host in its label (decision K10). */
export function errorPage(page: ErrorPage): string {
  const { icon, words } = KINDS[page.kind]
  return layout({
    title: page.title,
    main: html`<p class="kind kind-${page.kind}">${icon}${words !== undefined && html`<span>${words}</span>`}</p>
<h1>${isolated(page.title)}</h1>
<p>${isolated(page.text)}</p>
${
  page.details !== undefined &&
  html`<section class="box"><h2>For the author of the program</h2><p>${isolated(page.details)}</p></section>`
}
${
  page.actions.length === 0
    ? html`<p>You can close this page.</p>`
    : html`<div class="buttons stacked">${page.actions.map(actionElement)}</div>`
}
${requestLine(page.requestId)}
${page.actions.some(carriesFragment) && carryFragment()}`,
  })
}
