/**
 * Names and texts that strangers chose, made safe to read: one line, without invisible characters, and without effect
 * on the order of the text around them.
 *
 * @module
 */
import { type Html, html } from './html.ts'

/** Joiners and emoji presentation, which real names need and which move nothing. */
const NEEDED_INVISIBLES: ReadonlySet<string> = new Set(['\u200c', '\u200d', '\ufe0e', '\ufe0f'])
const INVISIBLE = /[\p{Cf}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}]/gu
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u

/**
 * The text without control, bidirectional and invisible characters (threat T16) and without stacks of accents that
 * would paint over other lines; `fallback` where nothing visible is left.
 */
export function displayText(value: string, fallback = ''): string {
  const text = value
    .replace(/[\p{Cc}\p{Z}]+/gu, ' ')
    .replace(INVISIBLE, (character) => (NEEDED_INVISIBLES.has(character) ? character : ''))
    .replace(/(\p{M}{3})\p{M}+/gu, '$1')
    .trim()
  return VISIBLE.test(text) ? text : fallback
}

/** {@link displayText} in an element of its own: right-to-left letters do not reorder the sentence around it. */
export function isolated(value: string, fallback?: string): Html {
  return html`<bdi>${displayText(value, fallback)}</bdi>`
}

/** The name of a program that gave itself none. */
export const UNNAMED_PROGRAM = 'A program without a name'
