/**
 * The pages that lead elsewhere. A redirect after a form would carry its POST, and every policy on it, through the chain
 * that follows; and a redirect to an app would leave the page before it in front.
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
  return layout({
    title: 'One moment',
    head: html`<meta http-equiv="refresh" content="0; url=${to}">`,
    main: html`<h1>One moment</h1>
<p>Your browser is opening the next page. If nothing happens, use this button.</p>
<div class="buttons"><a class="button primary" href="${to}">${isolated(page.label, 'Continue')}</a></div>`,
  })
}

export interface AppPage extends ContinuePage {
  /** True if the app gets what it asked for. */
  readonly allowed: boolean
}

/**
 * The last page on the way to an app, whose link opens it. It never goes on by itself: a browser would stay on the page
 * before, and many people let it open such links always (threat T48).
 */
export function appPage(page: AppPage): string {
  const [title, text] = page.allowed
    ? [
        'You are signed in',
        'Open the app to go on. Your browser may ask whether it should. Once the app is open, you can close this page.',
      ]
    : [
        'Nothing was shared',
        'The app gets no access. Open it to tell it so; after that, or at once, you can close this page.',
      ]
  return layout({
    title,
    main: html`<h1>${title}</h1>
<p>${text}</p>
<div class="buttons"><a class="button primary" href="${linkTarget(page.to)}">${isolated(page.label, 'Open the app')}</a></div>`,
  })
}
