/**
 * Parses mcpauth's `BOOTSTRAP_CLIENTS`.
 *
 * @module
 */
import { InvalidValue } from './problem.ts'

/** mcpauth's JSON list, its entries not looked at. @throws InvalidValue if it is none; never says what it is */
export function parseBootstrapClients(value: string): readonly unknown[] {
  const wrong = new InvalidValue(
    'is not a JSON list. Write it like [{"client_id":"ci","client_secret":"...","redirect_uris":["https://..."]}].',
  )
  try {
    const parsed: unknown = JSON.parse(value)
    if (Array.isArray(parsed)) return parsed
  } catch {
    // What JSON.parse says would show the text.
    throw wrong
  }
  throw wrong
}
