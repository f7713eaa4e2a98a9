/**
 * The words that pages use instead of the protocol's names. Logs and answers to programs keep the names.
 *
 * @module
 */

const WORDS: Readonly<Record<string, string>> = {
  client_id: 'the id of the program',
  redirect_uri: 'the address for the answer',
  scope: 'the list of permissions',
  scopes: 'permissions',
}
const NAMES = new RegExp(`\\b(?:${Object.keys(WORDS).join('|')})\\b`, 'g')

/** A sentence for the author of a program, with plain words in place of parameter names. */
export function plainWords(sentence: string): string {
  return sentence.replace(NAMES, (name) => WORDS[name] ?? name)
}
