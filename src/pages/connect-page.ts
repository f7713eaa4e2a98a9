/**
 * The page on which a person hands their session to a command line on the same computer: the code to compare, the
 * gateway, the user, and one button. Nothing leaves the page before the person presses the button.
 *
 * @module
 */
import { CONNECT_SCRIPT } from './connect-script.ts'
import { isolated } from './display-text.ts'
import { dangerouslyUnescapedScriptElement, html, jsonElement } from './html.ts'
import { infoIcon, keyIcon, personIcon, serverIcon } from './icons.ts'
import { layout } from './layout.ts'
import { linkTarget } from './link-target.ts'
import { pageHeaders, STYLE_SOURCE } from './styles.ts'

export interface ConnectPage {
  /** The confirmation code, which the command line shows too. */
  readonly code: string
  /** The host that the command line opened. */
  readonly gateway: string
  /** The name of the person who is signed in. */
  readonly person: string
  /** The session token. It is in the page and never in an address. */
  readonly token: string
  /** Where the command line listens on this computer. */
  readonly port: number
  /** The nonce of this response alone. */
  readonly nonce: string
}

const origin = (port: number) => `http://127.0.0.1:${port}`

/** The document, to be sent with {@link connectPageHeaders} of the same port and nonce. */
export function connectPage(page: ConnectPage): string {
  const { token, code, port } = page
  const action = linkTarget(`${origin(port)}/callback`)
  // A form sends `name=value`: with the equals sign inside a string of its own the body is JSON.
  const name = `{"token":${JSON.stringify(token)},"code":${JSON.stringify(code)},"_":"`
  const answer = html`<input type="hidden" name="${name}" value="${'"}'}">`
  return layout({
    title: 'Connect to Gateway',
    main: html`<h1>Connect your terminal?</h1>
<p>A program on this computer wants to use this gateway as you.</p>
<dl>
<div><dt>${keyIcon}Confirmation code</dt><dd><b class="code">${isolated(code)}</b><p class="quiet">Verify that this is the code shown in your terminal</p></dd></div>
<div><dt>${serverIcon}Gateway</dt><dd><b>${isolated(page.gateway)}</b></dd></div>
<div><dt>${personIcon}User</dt><dd><b>${isolated(page.person)}</b></dd></div>
</dl>
<div class="choice">
<p class="note" id="note">${infoIcon}<span>Your browser may ask whether this page may reach programs on this computer or your local network. Allow it: that is how the program gets your answer.</span></p>
<form id="connect" method="post" enctype="text/plain" action="${action}">
${answer}
<div class="buttons">
<a class="button" href="#declined">Not my code</a>
<span class="hold"><button class="button primary">Connect to Gateway</button></span>
</div>
</form>
<p class="outcome" id="status" role="status"></p>
<details id="fallback">
<summary>It does not work?</summary>
<form method="post" enctype="text/plain" action="${action}">
${answer}
<p class="quiet">Let the browser go to the program itself. You will see its answer in place of this page.</p>
<div class="buttons stacked"><button class="button">Go to the program</button></div>
</form>
<label for="pass">Or give this pass to the program</label>
<input id="pass" value="${token}" readonly autocomplete="off" spellcheck="false" aria-describedby="secret">
<p class="quiet" id="secret">Anyone who has this pass can act as you at this gateway until you sign out. Paste it nowhere else.</p>
<div class="buttons stacked"><button class="button" id="copy" type="button" hidden>Copy</button></div>
</details>
</div>
<p class="declined" id="declined" tabindex="-1">Nothing was sent. You can close this tab.</p>
${jsonElement('data', { port, token, code })}
${dangerouslyUnescapedScriptElement(CONNECT_SCRIPT, page.nonce)}`,
  })
}

/**
 * The headers of the page: its one script runs by nonce and reaches one port of this computer, no window that opened
 * it keeps a reference to it, and no site frames it (decision K8).
 *
 * The referrer policy is `origin`, since the command line compares `Origin` with the gateway's: with `no-referrer`
 * and `same-origin` a form that is posted elsewhere says `Origin: null`, and with `strict-origin` a form from https
 * to http does. The address with the code stays out of `Referer` all the same.
 */
export function connectPageHeaders(page: {
  readonly port: number
  readonly nonce: string
}): Record<string, string> {
  return {
    ...pageHeaders(),
    'Content-Security-Policy': [
      "default-src 'none'",
      `style-src ${STYLE_SOURCE}`,
      `script-src 'nonce-${page.nonce}'`,
      `connect-src ${origin(page.port)}`,
      `form-action ${origin(page.port)}`,
      'img-src data:',
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Referrer-Policy': 'origin',
  }
}
