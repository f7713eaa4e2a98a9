/**
 * Parses mcpauth's `BOOTSTRAP_CLIENTS`.
 *
 * @module
 */
import { InvalidValue } from './problem.ts'

/** mcpauth's JSON list; its entries stay unparsed. @throws InvalidValue, without the text, if it is not a list */
export function parseBootstrapClients(value: string): readonly unknown[] {
  const wrong = new InvalidValue(
    'is not a JSON list. Write it like [{"client_id":"ci","client_secret":"...","redirect_uris":["https://..."]}].',
  )
  try {
    const parsed: unknown = JSON.parse(value)
    if (Array.isArray(parsed)) return parsed
  } catch {
    // The error of JSON.parse would show the text.
    throw wrong
  }
  throw wrong
}
