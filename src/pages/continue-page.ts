/**
 * The answer to a form that leads elsewhere: a page that goes on by itself. A redirect would carry the form's POST, and
 * every policy on it, through the chain that follows.
 *
 * @module
 */
import { isolated } from './display-text.ts'
import { html } from './html.ts'
import { layout } from './layout.ts'
import { linkTarget } from './link-target.ts'

export interface ContinuePage {
  /** The address to go to, byte for byte. */
  readonly to: string
  /** The link's words, such as "Continue to Claude". */
  readonly label: string
}

/** The document, to be sent with `pageHeaders({ navigatesAway: true })`. */
export function continuePage(page: ContinuePage): string {
  const to = linkTarget(page.to)
  // A browser that opens an app keeps this page open until the person closes it.
  const opensApp = !/^(https?:|\/)/i.test(to)
  return layout({
    title: 'One moment',
    head: html`<meta http-equiv="refresh" content="0; url=${to}">`,
    main: html`<h1>One moment</h1>
<p>${
      opensApp
        ? 'Your browser may ask whether it should open the app. Once the app is open, you can close this page.'
        : 'Your browser is opening the next page. If nothing happens, use this button.'
    }</p>
<div class="buttons"><a class="button primary" href="${to}">${isolated(page.label, 'Continue')}</a></div>`,
  })
}
