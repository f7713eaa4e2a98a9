/**
 * What pages say instead of the names that the protocol has for things. Logs and answers to programs keep those.
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

/** A sentence for the author of a program, with words for the parameters that it is about. */
export function plainWords(sentence: string): string {
  return sentence.replace(NAMES, (name) => WORDS[name] ?? name)
}
