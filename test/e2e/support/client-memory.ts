/**
 * The data that an MCP client keeps between connections, and the OAuth provider that both SDKs require from their host.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'

/** Opens an authorization URL in a browser, up to the client's callback. */
export type SignIn = (authorizationUrl: URL) => Promise<unknown>

/** The data from one connection to the next, which a real client keeps on disk. */
export interface ClientMemory<Registration, Tokens> {
  registration?: Registration
  tokens?: Tokens
  /** The number of times that this client has sent a person to the browser. */
  signIns: number
}

/** A connected client of any library. */
export interface McpSession {
  /** Names of the server's tools. */
  listTools(): Promise<readonly string[]>
  /** Calls the sample server's `echo` tool, and returns its answer. */
  echo(message: string): Promise<string>
  close(): Promise<void>
}

/** The members of `OAuthClientProvider` that the 1.x and the 2.x SDK have in common, over `memory`. */
export function memoryProvider<Registration, Tokens>(options: {
  memory: ClientMemory<Registration, Tokens>
  redirectUrl: string
  signIn: SignIn
}) {
  const { memory, redirectUrl, signIn } = options
  const state = randomUUID()
  let verifier = ''
  return {
    redirectUrl,
    clientMetadata: {
      client_name: 'End-to-end client',
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    state: () => state,
    clientInformation: () => memory.registration,
    saveClientInformation(registration: Registration) {
      memory.registration = registration
    },
    tokens: () => memory.tokens,
    saveTokens(tokens: Tokens) {
      memory.tokens = tokens
    },
    async redirectToAuthorization(url: URL) {
      memory.signIns++
      await signIn(url)
    },
    saveCodeVerifier(value: string) {
      verifier = value
    },
    codeVerifier: () => verifier,
    /** Deletes the data that the server no longer accepts, so that the SDK signs in anew. */
    invalidateCredentials(what: 'all' | 'client' | 'tokens' | 'verifier' | 'discovery') {
      if (what === 'all' || what === 'client') delete memory.registration
      if (what === 'all' || what === 'tokens') delete memory.tokens
    },
  }
}

/** The methods that the clients of both SDKs have in common. */
interface SdkClient {
  listTools(): Promise<{ tools: readonly { name: string }[] }>
  callTool(call: { name: string; arguments: Record<string, unknown> }): Promise<object>
  close(): Promise<void>
}

/** Makes a session of a connected client. */
export function sessionOf(client: SdkClient): McpSession {
  return {
    listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
    async echo(message) {
      const answer = await client.callTool({ name: 'echo', arguments: { message } })
      return textOf(answer)
    },
    close: () => client.close(),
  }
}

function textOf(answer: object): string {
  const parts: readonly unknown[] =
    'content' in answer && Array.isArray(answer.content) ? answer.content : []
  return parts
    .map((part) =>
      typeof part === 'object' && part !== null && 'text' in part ? String(part.text) : '',
    )
    .join('')
}
