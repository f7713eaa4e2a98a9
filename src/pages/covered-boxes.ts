/**
 * The script of a consent page whose boxes cover one another: a ticked box ticks those that it covers, and holds them
 * until it is unticked. Without the script the server does the same with the answer.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { dangerouslyUnescapedScriptElement, type Html } from './html.ts'

const SCRIPT = `
{
  const boxes = [...document.querySelectorAll('input[name="scope"]')]
  const holds = (box, other) =>
    box.checked && (box.dataset.covers ?? '').split(' ').includes(other.value)
  const settle = () => {
    for (const box of boxes) {
      box.disabled = boxes.some((other) => holds(other, box))
      if (box.disabled) box.checked = true
    }
  }
  for (const box of boxes) box.addEventListener('change', settle)
  addEventListener('pageshow', settle)
  settle()
}
`

/** The source that the page's policy needs. */
export const COVERED_BOXES_SOURCE = `'sha256-${createHash('sha256').update(SCRIPT).digest('base64')}'`

/** The script; it stands behind the boxes. */
export const coveredBoxes = (): Html => dangerouslyUnescapedScriptElement(SCRIPT)
