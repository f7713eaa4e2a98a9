/**
 * Judges the body of a request by a caller who may call some tools only. A body that two programs could read in two ways
 * is refused: otherwise the server might find another tool in it than we do. Pure.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'
import { TextDecoder } from 'node:util'
import { valuesOf } from '../http/header-list.ts'
import { isPlainJson } from './plain-json.ts'

/** Undefined if the request may pass. `id`: that of the message, for an answer that a client shows to its person. */
export type CallRefusal =
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'tool'; readonly id: string | number; readonly tool: string }

const CALL = 'tools/call'
const UNREADABLE: CallRefusal = { kind: 'unreadable' }
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The whole value: programs differ on which of two charsets counts, and on spaces around `=`. */
const JSON_IN_UTF8 = /^application\/json[ \t]*(?:;[ \t]*charset=(?:"utf-8"|utf-8)[ \t]*)?$/i

type Head = Pick<IncomingMessage, 'headers' | 'rawHeaders'>

/** @param head the headers of the request; Node's own table hides the second line of some names */
export function judgeCalls(
  content: Buffer,
  { headers, rawHeaders }: Head,
  allowed: ReadonlySet<string>,
): CallRefusal | undefined {
  if (content.length === 0) return undefined
  const [type = '', ...others] = valuesOf(rawHeaders, 'content-type')
  const isPlain = (headers['content-encoding'] ?? 'identity') === 'identity'
  if (!isPlain || others.length > 0 || !JSON_IN_UTF8.test(type)) return UNREADABLE
  const body = parse(content)
  if (body === undefined) return UNREADABLE
  const messages: readonly unknown[] = Array.isArray(body) ? body : [body]
  for (const message of messages) {
    const refusal = judgeMessage(message, headers, allowed)
    // A batch has several answers, of which only one would be ours.
    if (refusal) return messages.length === 1 && !Array.isArray(body) ? refusal : UNREADABLE
  }
  return undefined
}

function judgeMessage(
  message: unknown,
  headers: Head['headers'],
  allowed: ReadonlySet<string>,
): CallRefusal | undefined {
  if (!isObject(message) || hasLookalike(message, ['method', 'params'])) return UNREADABLE
  if (!isJsonRpc(message)) return UNREADABLE
  const { method, params, id } = message
  const said = headers['mcp-method']
  if (said !== undefined && said !== method) return UNREADABLE
  if (method !== CALL) return isLike(method, CALL) ? UNREADABLE : undefined
  if (!isObject(params) || hasLookalike(params, ['name'])) return UNREADABLE
  const { name } = params
  if (typeof name !== 'string') return UNREADABLE
  const saidName = headers['mcp-name']
  if (saidName !== undefined && headerText(saidName) !== name) return UNREADABLE
  if (allowed.has(name)) return undefined
  return typeof id === 'string' || typeof id === 'number'
    ? { kind: 'tool', id, tool: name }
    : UNREADABLE
}

/** A request, a notification or a response (JSON-RPC 2.0 sections 4 and 5): a server may have a format of its own, too. */
const isJsonRpc = (message: Readonly<Record<string, unknown>>): boolean =>
  message.jsonrpc === '2.0' &&
  (Object.hasOwn(message, 'method')
    ? typeof message.method === 'string'
    : Object.hasOwn(message, 'id') &&
      (Object.hasOwn(message, 'result') || Object.hasOwn(message, 'error')))

/** True for a text that a lenient server may take for the other one. */
const isLike = (text: unknown, other: string): boolean =>
  typeof text === 'string' && text.normalize('NFKC').trim().toLowerCase() === other

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Twice the longest of the names: a letter that folds into one of ASCII has two units at most. */
const MAX_LOOKALIKE = 12

/** True for a name in other letters, which some servers (those in Go) take for the same member. */
const hasLookalike = (object: object, names: readonly string[]): boolean =>
  Object.keys(object).some(
    (key) =>
      key.length <= MAX_LOOKALIKE &&
      !names.includes(key) &&
      names.includes(key.normalize('NFKC').toLowerCase()),
  )

/** `Mcp-Name` may be in Base64 (MCP 2026-07-28). */
function headerText(value: string | string[]): string {
  const text = String(value)
  const encoded = /^=\?base64\?([A-Za-z0-9+/=]*)\?=$/i.exec(text)?.[1]
  return encoded === undefined ? text : Buffer.from(encoded, 'base64').toString()
}

/** The JSON value; undefined if it is none, or one that {@link isPlainJson} refuses. */
function parse(content: Buffer): unknown {
  try {
    const text = utf8.decode(content)
    return isPlainJson(text) ? JSON.parse(text) : undefined
  } catch {
    return undefined
  }
}
