/**
 * The page for a person whose session has ended where no redirect can lead to the login: in a frame, or after a form was
 * sent.
 *
 * @module
 */
import { isolated } from './display-text.ts'
import { html } from './html.ts'
import { layout, requestLine } from './layout.ts'
import { linkTarget } from './link-target.ts'

export interface SignInLinkPage {
  readonly why: 'form' | 'frame'
  readonly resourceName: string
  /** It comes back to a page of the resource. */
  readonly signInUrl: string
  readonly requestId: string
}

/** The document. */
export function signInLinkPage({
  why,
  resourceName,
  signInUrl,
  requestId,
}: SignInLinkPage): string {
  const name = isolated(resourceName, 'this server')
  const href = linkTarget(signInUrl)
  switch (why) {
    case 'form':
      return layout({
        title: 'Nothing was saved',
        main: html`<h1>Nothing was saved</h1>
<p>You are not signed in at ${name} any more, so it did not get your form. Sign in in a new tab. Then come back here, go back one page, and send your form again: your browser still has the text.</p>
<div class="buttons stacked"><a class="button primary" href="${href}" target="_blank" rel="noopener">Sign in in a new tab</a></div>
${requestLine(requestId)}`,
      })
    case 'frame':
      return layout({
        title: 'Sign in',
        main: html`<h1>Sign in</h1>
<p>You are not signed in at ${name}. The login opens in the whole window.</p>
<div class="buttons stacked"><a class="button primary" href="${href}" target="_top">Sign in</a></div>
${requestLine(requestId)}`,
      })
  }
}
