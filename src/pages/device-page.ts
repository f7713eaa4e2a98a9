/**
 * The page where a person types the code that a device shows, and the page after their answer (RFC 8628 section 3.3).
 *
 * @module
 */
import { html } from './html.ts'
import { infoIcon } from './icons.ts'
import { layout } from './layout.ts'
import { linkTarget } from './link-target.ts'

/** Why the last code was not taken; `wrong` is the same for an unknown and an expired one. */
export type CodeProblem =
  | { readonly kind: 'wrong' }
  | { readonly kind: 'locked'; readonly minutes: number }

export interface DevicePage {
  /** Where the form is posted. */
  readonly action: string
  /** The value by which the form proves itself. */
  readonly proof: string
  /** The code that the address of the page holds, or that was typed before. */
  readonly userCode?: string
  readonly problem?: CodeProblem
}

function problemInWords(problem: CodeProblem): string {
  switch (problem.kind) {
    case 'wrong':
      return 'This code is not known here, or it has expired. Compare it with your device, or begin again there for a new one.'
    case 'locked':
      return `There were too many wrong codes. Wait ${problem.minutes} minutes, then try again.`
  }
}

/** The document. The form posts `user_code`, and nothing posts it but the person. */
export function devicePage({ action, proof, userCode, problem }: DevicePage): string {
  const tie = problem ? html` aria-describedby="problem"` : html` aria-describedby="hint"`
  const invalid = problem?.kind === 'wrong' && html` aria-invalid="true"`
  const isFilled = userCode !== undefined
  return layout({
    title: `${problem ? 'Not connected: c' : 'C'}onnect a device`,
    main: html`<h1>Connect a device</h1>
<p>${isFilled ? 'Check that your device shows this same code.' : 'Type the code that your device shows.'}</p>
${problem && html`<div class="box problem" id="problem" role="alert"><p>${problemInWords(problem)}</p></div>`}
<form method="post" action="${linkTarget(action)}">
<input type="hidden" name="proof" value="${proof}">
<label for="user_code">Code</label>
<input id="user_code" class="code" name="user_code" value="${userCode ?? ''}" autocomplete="off" autocapitalize="characters" autocorrect="off" spellcheck="false" maxlength="64" required${tie}${invalid} autofocus>
<div class="buttons"><button class="button primary">Continue</button></div>
</form>
<p class="note" id="hint">${infoIcon}<span>Go on only if you started this yourself on a device of your own. If somebody sent you the code or a link to this page, close it: they want to use your account.</span></p>`,
  })
}

/** The document after the person's answer. */
export function deviceAnsweredPage({ allowed }: { readonly allowed: boolean }): string {
  const [title, text] = allowed
    ? [
        'Your device is connected',
        'It goes on by itself within a few seconds. You can close this page.',
      ]
    : [
        'Nothing was shared',
        'The device gets no access, and it is told so. You can close this page.',
      ]
  return layout({
    title,
    main: html`<h1>${title}</h1>
<p>${text}</p>`,
  })
}
