/**
 * Fetches documents from addresses that strangers name, without becoming their way into our network (threat T9). The
 * host is resolved once, every address is judged, and the connection goes to the judged addresses: a second answer of a
 * hostile name server is never asked for (DNS rebinding).
 *
 * @module
 */
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector } from 'undici'
import { parseIpAddress } from '../url/ip-address.ts'
import { isLoopbackAddress, isLoopbackName } from '../url/special-use.ts'
import { DocumentUnavailable, type FetchDocument, type FetchedDocument } from './document-fetch.ts'
import type { Resolve } from './resolvers.ts'

/** From the first question to a name server to the last byte. */
const TIMEOUT_MS = 5000
const MAX_HEADER_SIZE = 16 * 1024
/** Pause before the next address of a host is tried beside a slow one. */
const NEXT_ADDRESS_MS = 1000
const JSON_TYPE = /^application\/(?:[a-z0-9!#$&^_.+-]+\+)?json(?:\s*;|$)/i
const utf8 = new TextDecoder('utf-8', { fatal: true })

export interface GuardedFetchDeps {
  readonly resolve: Resolve
  /** The rule for each address of a host. `host` is as a URL writes it. */
  readonly mayConnect: (address: string, host: string) => boolean
  /** Milliseconds for the whole; absent: five seconds. */
  readonly timeoutMs?: number
}

/**
 * It follows no redirect, reads no proxy from the environment, sends no credential and no cookie, and keeps no
 * connection. Plain http goes to loopback only, and there only if `mayConnect` allows it.
 */
export function createGuardedFetch(deps: GuardedFetchDeps): FetchDocument {
  return async (url, { maxBytes }) => {
    const signal = AbortSignal.timeout(deps.timeoutMs ?? TIMEOUT_MS)
    try {
      const addresses = await judgedAddresses(url, signal, deps)
      return await fetchFrom(addresses, { url, maxBytes, signal })
    } catch (error) {
      throw error instanceof DocumentUnavailable ? error : unavailable(error, signal)
    }
  }
}

async function judgedAddresses(
  { protocol, hostname }: URL,
  signal: AbortSignal,
  { resolve, mayConnect }: GuardedFetchDeps,
): Promise<readonly string[]> {
  const literal = parseIpAddress(hostname)
  const found =
    literal !== undefined
      ? [literal]
      : isLoopbackName(hostname)
        ? ['127.0.0.1', '::1']
        : await orAbort(resolve(hostname, signal), signal)
  const addresses = found.map((address) => parseIpAddress(address) ?? '')
  const refused = addresses.find((address) => !mayConnect(address, hostname))
  if (refused !== undefined || addresses.length === 0) {
    throw new DocumentUnavailable(`the host has an address that is not allowed: ${refused}`)
  }
  if (protocol !== 'https:' && !addresses.every(isLoopbackAddress)) {
    throw new DocumentUnavailable('the address is plain http')
  }
  return addresses
}

async function fetchFrom(
  addresses: readonly string[],
  { url, maxBytes, signal }: { url: URL; maxBytes: number; signal: AbortSignal },
): Promise<FetchedDocument> {
  const agent = new Agent({
    connect: connectorTo(addresses),
    maxHeaderSize: MAX_HEADER_SIZE,
    pipelining: 0,
  })
  try {
    const { statusCode, headers, body } = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'GET',
      headers: { accept: 'application/json', 'user-agent': 'gatewarden' },
      signal,
    })
    // Errors after this come out of the loop below, or concern a body that nobody wants any more.
    body.on('error', () => {})
    const problem = headProblem(statusCode, headers)
    if (problem !== undefined) throw new DocumentUnavailable(problem)
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of body) {
      length += chunk.length
      if (length > maxBytes) {
        throw new DocumentUnavailable(`the document is larger than ${maxBytes} bytes`)
      }
      chunks.push(chunk)
    }
    return { text: utf8.decode(Buffer.concat(chunks)), headers: cacheHeadersOf(headers) }
  } finally {
    // It waits for nothing: the connection ends with the document.
    agent.destroy().catch(() => {})
  }
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

function headProblem(status: number, headers: Headers): string | undefined {
  if (status !== 200) return `the answer has the status ${status}, not 200`
  const type = String(headers['content-type'] ?? '')
  if (!JSON_TYPE.test(type.trim())) return 'the answer is not JSON by its content type'
  const encoding = String(headers['content-encoding'] ?? 'identity')
  return encoding === 'identity' ? undefined : 'the answer is compressed, which was not asked for'
}

function cacheHeadersOf(headers: Headers): FetchedDocument['headers'] {
  const names = ['cache-control', 'age', 'date', 'expires'] as const
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name]
      return value === undefined ? [] : [[name, [value].flat().join(', ')]]
    }),
  )
}

/** Connects to these addresses and no other, with the name of the host in TLS. */
function connectorTo(addresses: readonly string[]): buildConnector.connector {
  const lookup: LookupFunction = (_host, options, callback) => {
    const entries = addresses.map((address) => ({ address, family: isIP(address) }))
    const [first] = entries
    if (options.all) callback(null, entries)
    else callback(null, first?.address ?? '', first?.family)
  }
  const connect = buildConnector({
    lookup,
    timeout: TIMEOUT_MS,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
    allowH2: false,
  })
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error || !socket) {
        callback(error ?? new Error('there is no connection'), null)
        return
      }
      const peer = parseIpAddress(socket.remoteAddress ?? '')
      if (peer !== undefined && addresses.includes(peer)) callback(null, socket)
      else {
        socket.destroy()
        callback(new Error('the connection went to another address'), null)
      }
    })
}

/** The result, or the error of the signal if that comes first. */
function orAbort<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

function unavailable(error: unknown, signal: AbortSignal): DocumentUnavailable {
  if (signal.aborted) return new DocumentUnavailable('there was no whole answer in time')
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
  return new DocumentUnavailable(`the host cannot be reached or read${code}`, { cause: error })
}
