/**
 * `src/oauth/grants/` owns the grant types, one file each. It owns neither the route and the authentication of the
 * client (`src/oauth/endpoints/`) nor the making of tokens (`src/oauth/tokens/`).
 *
 * The token endpoint does the shared steps and a grant type only its own part, so no grant type can forget a shared
 * step. A new grant type is a file here and a line in `index.ts`.
 *
 * @module
 */
import type { Keyring } from '../../crypto.ts'
import type { Report } from '../../events.ts'
import type { Grant, Records } from '../../records/records.ts'
import type { ResourceTable } from '../../resources/resource-table.ts'
import type { Parameters } from '../../url/parameters.ts'
import type { Client } from '../clients/client.ts'
import type { Machines } from '../clients/machines.ts'
import type { Recheck } from '../recheck.ts'
import type { Issued, TokenIssuer } from '../tokens/issuer.ts'

export interface TokenRequest {
  readonly client: Client
  readonly parameters: Parameters
  /** Emits an event of the request. */
  readonly report: Report
}

export interface GrantDeps {
  readonly records: Records
  readonly resources: ResourceTable
  readonly keyring: Keyring
  readonly tokens: TokenIssuer
  /** False when the person behind the grant is gone for good (decision K12). */
  readonly personExists: (grant: Grant) => Promise<boolean>
  /** Has the provider vouch for the person before a refresh, where the operator wants it (decision K30). */
  readonly recheck?: Recheck | undefined
  /** The name of the person behind a grant, for events; undefined if it cannot be told now. Never rejects. */
  readonly userOfGrant: (grant: Grant) => Promise<string | undefined>
  /** The programs that act for themselves. */
  readonly machines: Machines
  /** Seconds. */
  readonly lifetimes: {
    readonly accessToken: number
    readonly grantIdle: number
    readonly refreshGrace: number
  }
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly randomToken: () => string
}

export interface GrantType {
  readonly grantType: string
  /** Whether a client that registers itself gets it: also where it names no grant types, if it asks for it, or never. */
  readonly registration: 'default' | 'on-request' | 'never'
  /**
   * Makes every check first, then passes the single-use gate, then issues tokens.
   * @throws OAuthError for a fault of the client; any other error is an outage of ours
   */
  redeem(request: TokenRequest, deps: GrantDeps): Promise<Issued>
}
