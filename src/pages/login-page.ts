/**
 * The built-in login: a name and a password, for one resource and, where one asked, one program.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { displayText, isolated, UNNAMED_PROGRAM } from './display-text.ts'
import { CARRIES_FRAGMENT, carryFragment, FRAGMENT_SCRIPTS } from './fragment.ts'
import { dangerouslyUnescapedScriptElement, html } from './html.ts'
import { layout } from './layout.ts'
import { linkTarget } from './link-target.ts'
import { pageHeaders } from './styles.ts'

/** Why the last attempt failed; `wrong` is the same for an unknown name and a wrong password. */
export type LoginProblem =
  | { readonly kind: 'wrong' }
  | { readonly kind: 'locked'; readonly seconds: number }
  | { readonly kind: 'busy'; readonly seconds: number }

export interface LoginPage {
  /** Where the form is posted. */
  readonly action: string
  /** The sealed interaction. */
  readonly interaction: string
  readonly resourceName: string
  /** The host of the resource. */
  readonly host: string
  /** Where a form goes that tells the program of a denial. Absent where no program waits. */
  readonly cancelAction?: string
  /** The operator's words for people who do not know their password. */
  readonly help?: string
  /** Absent where no program asked. */
  readonly clientName?: string
  /** The typed name, kept after a mistake. */
  readonly name?: string
  readonly problem?: LoginProblem
}

function secondsInWords(seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds))
  return whole === 1 ? '1 second' : `${whole} seconds`
}

function problemInWords(problem: LoginProblem): string {
  switch (problem.kind) {
    case 'wrong':
      return 'This name and password do not match. Check both and try again.'
    case 'locked':
      return `There were too many wrong attempts with this name. Wait ${secondsInWords(problem.seconds)}, then try again. No wait is longer than a minute.`
    case 'busy':
      return `Many people are signing in at this moment. Wait ${secondsInWords(problem.seconds)}, then try again.`
  }
}

/** Shows the password that was typed. It is sent, and offered to the password manager, as a password again. */
const SHOW_PASSWORD = `
const [show, password] = ['show', 'password'].map((id) => document.getElementById(id))
const say = (isShown) => {
  password.type = isShown ? 'text' : 'password'
  show.textContent = isShown ? 'Hide password' : 'Show password'
}
show.hidden = false
show.addEventListener('click', () => say(password.type === 'password'))
password.form.addEventListener('submit', () => say(false))
`
const SCRIPT_SOURCE = `'sha256-${createHash('sha256').update(SHOW_PASSWORD).digest('base64')}'`

/** The headers of the page: its scripts are allowed by their hashes, and it works without them. */
export const loginPageHeaders = (): Record<string, string> =>
  pageHeaders({ scripts: [SCRIPT_SOURCE, FRAGMENT_SCRIPTS.carry] })

/** The document, to be sent with {@link loginPageHeaders}. The form posts `interaction`, `username` and `password`. */
export function loginPage(page: LoginPage): string {
  const { problem, cancelAction, help } = page
  const typedName = page.name ?? ''
  // Not every screen reader announces a live region that is there from the start: it describes the focused field too.
  const tie = problem && html` aria-describedby="problem"`
  const invalid = problem?.kind === 'wrong' && html` aria-invalid="true"`
  const focus = html` autofocus`
  // A client gets the fragment that it asked for, which is none.
  const isForPage = page.clientName === undefined
  const interaction = html`<input type="hidden" name="interaction" value="${page.interaction}">`
  return layout({
    title: `${problem ? 'Not signed in: s' : 'S'}ign in to ${displayText(page.resourceName, 'continue')}`,
    main: html`<h1>Sign in</h1>
${
  page.clientName === undefined
    ? html`<p>to <b>${isolated(page.resourceName)}</b></p>`
    : html`<p>so that <b>${isolated(page.clientName, UNNAMED_PROGRAM)}</b> can use <b>${isolated(page.resourceName)}</b></p>`
}
<p class="quiet">at ${isolated(page.host)}</p>
${problem && html`<div class="box problem" id="problem" role="alert"><p>${problemInWords(problem)}</p></div>`}
<form method="post" action="${linkTarget(page.action)}"${isForPage && CARRIES_FRAGMENT}>
${interaction}
<label for="username">Name or e-mail</label>
<input id="username" name="username" value="${typedName}" autocomplete="username" autocapitalize="none" autocorrect="off" spellcheck="false" required${tie}${invalid}${typedName === '' && focus}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required${tie}${invalid}${typedName !== '' && focus}>
<div class="reveal"><button class="plain" id="show" type="button" aria-controls="password" hidden>Show password</button></div>
<div class="buttons">
${cancelAction !== undefined && html`<button class="button" form="cancel" name="decision" value="deny">Cancel</button>`}
<button class="button primary">Sign in</button>
</div>
</form>
${cancelAction !== undefined && html`<form id="cancel" method="post" action="${linkTarget(cancelAction)}">${interaction}</form>`}
${help !== undefined && html`<p class="quiet">${isolated(help)}</p>`}
${dangerouslyUnescapedScriptElement(SHOW_PASSWORD)}
${isForPage && carryFragment()}`,
  })
}
