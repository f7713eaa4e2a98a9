/**
 * Names and texts that strangers chose, made fit to be read: one line, nothing invisible, no reordering of what stands around it.
 *
 * @module
 */
import { type Html, html } from './html.ts'

/** Joiners and emoji presentation, which real names need and which move nothing. */
const NEEDED_INVISIBLES: ReadonlySet<string> = new Set(['\u200c', '\u200d', '\ufe0e', '\ufe0f'])
const INVISIBLE = /[\p{Cf}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}]/gu
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u

/**
 * The text without control, bidirectional and invisible characters (threat T16) and without towers of accents that
 * would paint over other lines; `fallback` where nothing is left to see.
 */
export function displayText(value: string, fallback = ''): string {
  const text = value
    .replace(/[\p{Cc}\p{Z}]+/gu, ' ')
    .replace(INVISIBLE, (character) => (NEEDED_INVISIBLES.has(character) ? character : ''))
    .replace(/(\p{M}{3})\p{M}+/gu, '$1')
    .trim()
  return VISIBLE.test(text) ? text : fallback
}

/** {@link displayText} as an element of its own, so that right-to-left letters do not reorder the sentence around it. */
export function isolated(value: string, fallback?: string): Html {
  return html`<bdi>${displayText(value, fallback)}</bdi>`
}

/** What a program is called that gave itself no name. */
export const UNNAMED_PROGRAM = 'A program without a name'
