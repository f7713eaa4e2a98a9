/**
 * The form of a fixture: all that a client puts on the wire on its way to a token, as its source, its documentation or a
 * recording shows it.
 *
 * @module
 */
import type { ClientConfig } from '../../../src/oauth/clients/client.ts'
import type { RegisteredClient } from '../../support/oauth-client.ts'

/** The server that most fixtures use. */
export const SERVER = 'https://mcp.example.com/notes/mcp'
/** A server that is a whole host. */
export const ROOT_SERVER = 'https://root.example.com'

/** How a client comes to its id. */
export type Identity =
  | { readonly registers: Readonly<Record<string, unknown>> }
  | {
      /** The URL of its metadata document. */
      readonly publishes: string
      readonly document: Readonly<Record<string, unknown>>
    }
  | { readonly configured: ClientConfig }

/** How a client proves itself at the token endpoint. */
export type Proof = (client: RegisteredClient) => {
  readonly fields: Readonly<Record<string, string | undefined>>
  readonly headers?: Readonly<Record<string, string>>
}

export interface ClientFixture {
  readonly client: string
  /** The URL of the server as people give it to the client. */
  readonly server: string
  readonly identity: Identity
  readonly redirectUri: string
  readonly proof: Proof
  /** The other parameters of its authorization request. */
  readonly authorize: Readonly<Record<string, string | undefined>>
  /** The other parameters of the request for its first tokens. */
  readonly redeem: Readonly<Record<string, string | undefined>>
  /** The other parameters of its refresh request. */
  readonly refresh: Readonly<Record<string, string | undefined>>
  /** `Origin` of every request, if the client is a web page. */
  readonly origin?: string
  /** The scope that it is granted. */
  readonly granted: string
}

const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})

/** A public client: its id in the body. */
export const byId: Proof = ({ client_id }) => ({ fields: { client_id } })
/** `client_secret_post`. */
export const byPost: Proof = ({ client_id, client_secret }) => ({
  fields: { client_id, client_secret },
})
/** `client_secret_basic` as `btoa(id:secret)`, which most SDKs send. */
export const byBasic: Proof = ({ client_id, client_secret = '' }) => ({
  fields: {},
  headers: basic(client_id, client_secret),
})
/** The Python SDK: id and secret percent-encoded, and the id in the body as well. */
export const byEncodedBasic: Proof = ({ client_id, client_secret = '' }) => ({
  fields: { client_id },
  headers: basic(encodeURIComponent(client_id), encodeURIComponent(client_secret)),
})
/** Go's first try for a public client: Basic with an empty password, form-encoded. */
export const byEmptyBasic: Proof = ({ client_id }) => ({
  fields: {},
  headers: basic(encodeURIComponent(client_id), ''),
})

/** A fixture of a public client that sends `resource` in all three requests, changed by what differs. */
export function fixture(
  changes: Pick<ClientFixture, 'client' | 'identity' | 'redirectUri'> & Partial<ClientFixture>,
): ClientFixture {
  const { server = SERVER } = changes
  return {
    server,
    proof: byId,
    authorize: { resource: server, scope: 'mcp' },
    redeem: { resource: server },
    refresh: { resource: server },
    granted: 'mcp',
    ...changes,
  }
}

const CODE_AND_REFRESH = ['authorization_code', 'refresh_token']

/** The members that most registrations and documents share. */
export const COMMON = {
  grant_types: CODE_AND_REFRESH,
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
} as const
