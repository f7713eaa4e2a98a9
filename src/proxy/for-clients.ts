/**
 * Tells the answers that an MCP endpoint gives to a browser, which mean nothing to a person.
 *
 * @module
 */
import { valuesOf } from '../http/header-list.ts'
import type { ResourceMatch } from '../resources/resource-table.ts'
import type { AnswerHead } from './upstream.ts'

/**
 * An endpoint with streamable HTTP refuses a GET without `Accept: text/event-stream` by 405 or 406, or by 400 for want of
 * a session, in JSON (MCP 2025-11-25, Transports); one of the older HTTP+SSE sends an event stream without an end.
 */
export function isForClients(
  { status, lines }: AnswerHead,
  { path, resource }: ResourceMatch,
): boolean {
  const [type = ''] = valuesOf(lines, 'content-type')
  if (status === 200) return /^text\/event-stream\b/i.test(type)
  const isJson = /^application\/json\b/i.test(type)
  if (status === 405 || status === 406) return isJson || isEndpoint(path, resource.path)
  return status === 400 && isJson && isEndpoint(path, resource.path)
}

/** The address that people give to their client, or one that is called like an endpoint. */
const isEndpoint = (path: string, own: string) =>
  path.replace(/\/$/, '') === own || /\/(?:mcp|sse)\/?$/.test(path)
