/**
 * The page for a person who has signed out, and the question before it if another website sent them.
 *
 * @module
 */
import { isolated } from './display-text.ts'
import { html } from './html.ts'
import { layout } from './layout.ts'
import { linkTarget } from './link-target.ts'

export interface SignOutPage {
  /** Where the form is posted. */
  readonly action: string
  readonly host: string
}

/** The document that asks first: the address was opened by another website, not by the person. */
export function signOutPage({ action, host }: SignOutPage): string {
  return layout({
    title: 'Sign out?',
    main: html`<h1>Sign out?</h1>
<div class="choice">
<p>Another website sent you here. Nothing has happened yet: you stay signed in at <b>${isolated(host)}</b> unless you choose to sign out.</p>
<form method="post" action="${linkTarget(action)}">
<div class="buttons">
<a class="button" href="#declined">Stay signed in</a>
<button class="button primary">Sign out</button>
</div>
</form>
</div>
<p class="declined" id="declined" tabindex="-1">Nothing has changed. You can close this tab.</p>`,
  })
}

export interface SignedOutPage {
  readonly host: string
  /** The name of the provider that people are sent to, if there is one. */
  readonly provider?: string
  /** Where to sign in again. */
  readonly again?: string
}

/** The document that says which access has ended, and which has not. */
export function signedOutPage({ host, provider, again }: SignedOutPage): string {
  return layout({
    title: 'You are signed out',
    main: html`<h1>You are signed out</h1>
<p>This browser is no longer signed in at <b>${isolated(host)}</b>. Programs that you let in before keep their access.</p>
${
  provider !== undefined &&
  html`<p>You may still be signed in at <b>${isolated(provider)}</b>, and whoever uses this browser next might get back in without a password. On a computer that others use, sign out there as well; do so too if it names the same account again and you want another one.</p>`
}
${
  again === undefined
    ? html`<p>You can close this page.</p>`
    : html`<div class="buttons"><a class="button" href="${linkTarget(again)}">Sign in again</a></div>`
}`,
  })
}
