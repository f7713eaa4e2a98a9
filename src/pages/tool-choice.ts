/**
 * The part of a consent page where a person chooses which tools a client may use. It works without a script.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { displayText, isolated } from './display-text.ts'
import { dangerouslyUnescapedScriptElement, type Html, html } from './html.ts'

export interface ToolChoice {
  readonly mayUseAll: boolean
  /** The tools that only read, by the word of the server. */
  readonly reading: readonly string[]
  readonly single: readonly { readonly name: string; readonly description: string }[]
}

/** Tools that a line names, of more it tells the number; and the characters of a name. */
const MAX_NAMED_TOOLS = 8
const MAX_NAME = 48

/** A ticked tool chooses the ticked ones; another choice unticks them. */
const SCRIPT = `
{
  const boxes = [...document.querySelectorAll('input[name="tool"]')]
  for (const box of boxes) {
    box.addEventListener('change', () => (document.getElementById('tools-single').checked = true))
  }
  for (const choice of document.querySelectorAll('input[name="tools"]')) {
    choice.addEventListener('change', () => {
      if (choice.value !== 'single') for (const box of boxes) box.checked = false
    })
  }
}
`

/** The source that the page's policy needs. */
export const TOOL_CHOICE_SOURCE = `'sha256-${createHash('sha256').update(SCRIPT).digest('base64')}'`

/** The script; it stands behind the fields. */
export const toolChoiceScript = (): Html => dangerouslyUnescapedScriptElement(SCRIPT)

/** The names of tools in a line of its own; nothing without tools. */
export function toolsLine(tools: readonly string[]): Html | undefined {
  if (tools.length === 0) return undefined
  const named = tools.slice(0, MAX_NAMED_TOOLS)
  const more = tools.length - named.length
  const names = named.map((tool, index) => html`${index > 0 && ', '}${isolated(short(tool), '?')}`)
  return html`<br><span class="quiet">Tools: ${names}${more > 0 && ` and ${more} more`}</span>`
}

const short = (name: string) => {
  const characters = [...displayText(name)]
  return characters.length <= MAX_NAME ? name : `${characters.slice(0, MAX_NAME - 1).join('')}…`
}

/** @param choice comes back with the answer and tells which page the person saw */
export function toolChoice(offer: ToolChoice, choice: string): Html {
  const { mayUseAll, reading, single } = offer
  const radio = (value: string, checked: boolean, words: Html | string) =>
    html`<li><label class="box-line" for="tools-${value}"><input type="radio" form="consent" id="tools-${value}" name="tools" value="${value}"${checked && html` checked`}><span>${words}</span></label></li>`
  const boxes = single.map(
    ({ name, description }, index) =>
      html`<li><label class="box-line" for="tool-${index}"><input type="checkbox" form="consent" id="tool-${index}" name="tool" value="${name}">${isolated(description, '?')}</label></li>`,
  )
  const readingWords =
    reading.length > 0
      ? html`Use only tools that change nothing${toolsLine(reading)}`
      : 'Use only tools that change nothing; the server names none by now'
  return html`<input type="hidden" form="consent" name="choice" value="${choice}">
<ul>${mayUseAll && radio('all', true, 'Use all of its tools, also those that it gets later')}
${radio('reading', !mayUseAll, readingWords)}
${single.length > 0 && radio('single', false, 'Use only the tools that I tick here:')}</ul>
${single.length > 0 && html`<ul class="inner">${boxes}</ul>`}
<p class="quiet">The server itself says what its tools do. Calls of other tools are stopped here.</p>`
}
