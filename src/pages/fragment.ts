/**
 * The part of an address behind `#` on its way through a sign-in (case ed9). Only the browser knows it: a redirect keeps
 * it, a form and a page of the provider lose it. The scripts of this file carry it, and put it behind an address that
 * the server verified, never in place of one. Each page works without its script, and then the part is lost.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { isolated } from './display-text.ts'
import { dangerouslyUnescapedScriptElement, type Html, html, jsonElement } from './html.ts'
import { layout } from './layout.ts'
import { linkTarget } from './link-target.ts'

/** Marks a form or a link of ours, whose address gets the fragment of the page it is on. */
export const CARRIES_FRAGMENT: Html = html` data-fragment`

const CARRY = `
for (const way of document.querySelectorAll('[data-fragment]')) {
  const name = way.localName === 'form' ? 'action' : 'href'
  way.setAttribute(name, way.getAttribute(name) + location.hash)
}
`

/** Keeps the fragment in this tab, and tells the server only whether it did. */
const SAVE = `
{
  const { to, key } = JSON.parse(document.getElementById('data').textContent)
  let kept = 'none'
  try {
    if (location.hash !== '') {
      sessionStorage.setItem('gw_fragment_' + key, location.hash)
      kept = key
    }
  } catch {}
  location.replace(to + kept)
}
`

const RESTORE = `
{
  const { to, key } = JSON.parse(document.getElementById('data').textContent)
  let kept = null
  try {
    kept = sessionStorage.getItem('gw_fragment_' + key)
    sessionStorage.removeItem('gw_fragment_' + key)
  } catch {}
  location.replace(kept !== null && kept.startsWith('#') ? to + kept : to)
}
`

const ONWARD = `
location.replace(JSON.parse(document.getElementById('data').textContent).to + location.hash)
`

const sourceOf = (script: string) =>
  `'sha256-${createHash('sha256').update(script).digest('base64')}'`

/** The sources that a page's policy needs for each script. */
export const FRAGMENT_SCRIPTS = {
  carry: sourceOf(CARRY),
  save: sourceOf(SAVE),
  restore: sourceOf(RESTORE),
  onward: sourceOf(ONWARD),
} as const

/** The script for a page with marked forms or links; it stands behind them. */
export const carryFragment = (): Html => dangerouslyUnescapedScriptElement(CARRY)

/** What `to` ends in where there was no fragment to keep, or no script to keep it. */
const NONE = 'none'

export interface FragmentPage {
  /** An address of ours, or one we verified, without a fragment. */
  readonly to: string
  /** The name of the kept fragment in this tab. */
  readonly key: string
}

/**
 * The page before the provider's: it keeps the fragment and goes on to `to` with the key behind it, or with `none`.
 * To be sent with `pageHeaders({ navigatesAway: true, scripts: [FRAGMENT_SCRIPTS.save] })`.
 */
export const saveFragmentPage = ({ to, key }: FragmentPage): string =>
  moment({ to, key }, { script: SAVE, plain: to + NONE })

/**
 * The last page of the way back: it goes on to `to` with the kept fragment.
 * To be sent with `pageHeaders({ navigatesAway: true, scripts: [FRAGMENT_SCRIPTS.restore] })`.
 */
export const restoreFragmentPage = ({ to, key }: FragmentPage): string =>
  moment({ to, key }, { script: RESTORE, plain: to })

/**
 * The page after a form whose address had the fragment: it goes on to `to` with it, as a redirect would.
 * To be sent with `pageHeaders({ navigatesAway: true, scripts: [FRAGMENT_SCRIPTS.onward] })`.
 */
export const onwardPage = ({ to }: Pick<FragmentPage, 'to'>): string =>
  moment({ to }, { script: ONWARD, plain: to })

/**
 * @param plain where a browser goes after a second if no script ran: a proxy's policy may stop them, and then
 *   `noscript` does nothing
 */
function moment(
  data: Pick<FragmentPage, 'to'> & Partial<FragmentPage>,
  { script, plain }: { readonly script: string; readonly plain: string },
): string {
  const href = linkTarget(plain)
  return layout({
    title: 'One moment',
    head: html`<meta http-equiv="refresh" content="1; url=${href}">`,
    main: html`<h1>One moment</h1>
<p>Your browser is opening the next page. If nothing happens, use this button.</p>
<div class="buttons"><a class="button primary" href="${href}">${isolated('Continue')}</a></div>
${jsonElement('data', { ...data })}
${dangerouslyUnescapedScriptElement(script)}`,
  })
}
