/**
 * Real MCP clients, used as their hosts use them: the 1.x SDK and the 2.x SDK. mcp-remote has a file of its own.
 *
 * @module
 */
import {
  type AddClientAuthentication,
  Client as Client2,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport as Transport2,
  UnauthorizedError as Unauthorized2,
} from '@modelcontextprotocol/client'
import { UnauthorizedError as Unauthorized1 } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type {
  OAuthClientInformationMixed,
  OAuthTokens,
} from '@modelcontextprotocol/sdk/shared/auth.js'
import { type CallbackServer, startCallbackServer } from './callback-server.ts'
import {
  type ClientMemory,
  type McpSession,
  memoryProvider,
  type SignIn,
  sessionOf,
} from './client-memory.ts'

export type Sdk1Memory = ClientMemory<OAuthClientInformationMixed, OAuthTokens>
export type Sdk2Memory = ClientMemory<StoredOAuthClientInformation, StoredOAuthTokens>

/** The metadata document that a client shows as its id, and how it signs if the document says that it has keys. */
export interface ClientDocument {
  readonly url: string
  readonly addClientAuthentication?: AddClientAuthentication
}

export interface ConnectOptions<Memory> {
  /** The URL of the MCP server that a person gives to the client. */
  readonly url: string
  readonly signIn: SignIn
  /** The data of an earlier connection; this one changes it. */
  readonly memory: Memory
  /** Absent: the client registers. */
  readonly document?: ClientDocument
  /** The client's way to the network; absent: that of this process. */
  readonly fetch?: (url: string | URL, init?: RequestInit) => Promise<Response>
  /** True: a 2.x client asks first whether the server speaks 2026-07-28 or later. Absent: it begins as clients before. */
  readonly probesRevision?: boolean
}

const IDENTITY = { name: 'end-to-end', version: '1.0.0' }

/** Connects with `@modelcontextprotocol/sdk` 1.x, and signs in if asked to. */
export function connectSdk1(options: ConnectOptions<Sdk1Memory>): Promise<McpSession> {
  return withCallback(async (callback) => {
    const authProvider = {
      ...memoryProvider({ ...options, redirectUrl: callback.redirectUrl }),
      ...documented(options.document),
    }
    const client = new Client1(IDENTITY)
    const transport = new Transport1(new URL(options.url), { authProvider, ...way(options) })
    try {
      // The class's optional members and the interface's differ under `exactOptionalPropertyTypes`.
      await client.connect(transport as Parameters<typeof client.connect>[0])
      return sessionOf(client)
    } catch (error) {
      if (!(error instanceof Unauthorized1)) throw error
      await transport.finishAuth(codeOf(await callback.next(), authProvider.state()))
      return 'signed in'
    }
  })
}

/** Connects with `@modelcontextprotocol/client` 2.x, and signs in if asked to. */
export function connectSdk2(options: ConnectOptions<Sdk2Memory>): Promise<McpSession> {
  let discovered: OAuthDiscoveryState | undefined
  return withCallback(async (callback) => {
    const authProvider = {
      ...memoryProvider({ ...options, redirectUrl: callback.redirectUrl }),
      ...documented(options.document),
      discoveryState: () => discovered,
      saveDiscoveryState(state: OAuthDiscoveryState) {
        discovered = state
      },
    }
    const mode = options.probesRevision ? 'auto' : 'legacy'
    const client = new Client2(IDENTITY, { versionNegotiation: { mode } })
    const transport = new Transport2(new URL(options.url), { authProvider, ...way(options) })
    try {
      await client.connect(transport)
      return sessionOf(client)
    } catch (error) {
      if (!(error instanceof Unauthorized2)) throw error
      const answer = await callback.next()
      codeOf(answer, authProvider.state())
      await transport.finishAuth(answer)
      return 'signed in'
    }
  })
}

const way = ({ fetch }: Pick<ConnectOptions<unknown>, 'fetch'>) => (fetch ? { fetch } : {})

/** The members of both SDKs' providers by which a client shows a document. */
function documented(document: ClientDocument | undefined) {
  if (!document) return {}
  const { url, addClientAuthentication } = document
  return { clientMetadataUrl: url, ...(addClientAuthentication && { addClientAuthentication }) }
}

/** Tries to connect, and again after a sign-in, as the hosts of both SDKs do. */
async function withCallback(
  connect: (callback: CallbackServer) => Promise<McpSession | 'signed in'>,
): Promise<McpSession> {
  const callback = await startCallbackServer()
  try {
    for (let attempt = 0; attempt < 2; attempt++) {
      const session = await connect(callback)
      if (session !== 'signed in') return session
    }
    throw new Error('signed in twice and still not connected')
  } finally {
    await callback.close()
  }
}

/** The code of a callback. @throws Error if the callback does not answer our own request */
function codeOf(answer: URLSearchParams, state: string): string {
  if (answer.get('state') !== state) throw new Error('the callback has a foreign state')
  const code = answer.get('code')
  if (!code) throw new Error(`no code: ${answer.get('error')} ${answer.get('error_description')}`)
  return code
}
