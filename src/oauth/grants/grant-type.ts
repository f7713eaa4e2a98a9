/**
 * What a grant type is to the token endpoint: the endpoint parses and authenticates, a grant type fills in its
 * own part, so that none can forget a shared step. Adding one is a file beside this and a line in `index.ts`.
 *
 * @module
 */
import type { Keyring } from '../../crypto.ts'
import type { Grant, Records } from '../../records/records.ts'
import type { ResourceTable } from '../../resources/resource-table.ts'
import type { Parameters } from '../../url/parameters.ts'
import type { Client } from '../clients/client.ts'
import type { TokenIssuer, TokenResponse } from '../tokens/issuer.ts'

export interface TokenRequest {
  readonly client: Client
  readonly parameters: Parameters
}

export interface GrantDeps {
  readonly records: Records
  readonly resources: ResourceTable
  readonly keyring: Keyring
  readonly tokens: TokenIssuer
  /** False when the person behind the grant is gone for good (decision K12). */
  readonly personExists: (grant: Grant) => Promise<boolean>
  readonly lifetimes: { readonly grantIdle: number; readonly refreshGrace: number }
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly randomToken: () => string
}

export interface GrantType {
  readonly grantType: string
  /**
   * Every check first, then the single-use gate, then tokens.
   * @throws OAuthError for the client's faults; anything else is an outage of ours
   */
  redeem(request: TokenRequest, deps: GrantDeps): Promise<TokenResponse>
}
