/**
 * Clients whose id is the URL of their metadata document (draft-ietf-oauth-client-id-metadata-document-02). No stranger
 * makes a record: a copy of a document is stored only when a person has let its client in.
 *
 * @module
 */
import { sha256 } from '../../crypto.ts'
import { OAuthError } from '../../errors.ts'
import type { FetchDocument } from '../../outbound/document-fetch.ts'
import type { Records } from '../../records/records.ts'
import { isLoopbackName } from '../../url/special-use.ts'
import type { Client } from './client.ts'
import { clientIdUrlProblem } from './client-id-url.ts'
import type { FetchBudget } from './fetch-budget.ts'
import {
  type DocumentedClient,
  type DocumentRules,
  parseMetadataDocument,
  parsePinnedDocument,
} from './metadata-document.ts'
import { compileMetadataHosts, type MetadataHosts } from './metadata-hosts.ts'
import { createRemoteDocuments, type FetchFailure } from './remote-documents.ts'

export interface MetadataClients {
  /**
   * The client whose id is this URL.
   * @param from the address of the client or person that asks
   * @throws OAuthError `invalid_client` if the URL or its document is no good, or its host is not allowed;
   *   DocumentUnavailable if nobody can tell now
   */
  find(clientId: string, from: string): Promise<Client>
  /**
   * Stores the document of a client that got tokens, so that they outlive this process and an outage of its host. Never
   * rejects.
   */
  remember(client: Client): Promise<void>
}

/** Five kilobytes, as section 8.7 recommends. */
const MAX_BYTES = 5 * 1024
const BOUNDS = { min: 60, max: 86_400, unsaid: 600 }

export interface MetadataClientsDeps {
  readonly fetch: FetchDocument
  readonly budget: FetchBudget
  readonly hosts: MetadataHosts
  /** Hosts of this machine count: for development only. */
  readonly loopback: boolean
  /** Texts of documents that are used as they are, and never fetched. */
  readonly pinned: ReadonlyMap<string, string>
  readonly rules: Omit<DocumentRules, 'keysUrlProblem'>
  readonly copies: Records['clientDocuments']
  /** Seconds that a grant lives: so long a copy serves while its host does not. */
  readonly grantLifetime: number
  readonly onFailure: (failure: FetchFailure) => void
  /** Told why a document could not be stored. */
  readonly onUnstored: (error: unknown) => void
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Milliseconds on a clock that is never set back. */
  readonly elapsed: () => number
}

export function createMetadataClients(deps: MetadataClientsDeps): MetadataClients {
  const { loopback, copies, grantLifetime, now } = deps
  const isLoopback = ({ hostname }: URL) => loopback && isLoopbackName(hostname)
  const hosts = compileMetadataHosts(deps.hosts, isLoopback)
  const urlProblem = (url: string) =>
    clientIdUrlProblem(url, { loopback }) ??
    (hosts.allows(new URL(url)) ? undefined : 'is at a host that the operator does not allow')
  /** Keys may be at any host that is not denied: the document, which is at an allowed one, names it. */
  const keysUrlProblem = (uri: string) => {
    const problem = clientIdUrlProblem(uri, { loopback })
    if (problem !== undefined) return problem
    const url = new URL(uri)
    if (hosts.denies(url)) return 'is at a host that the operator denies'
    const isOddPort = url.port !== '' && !hosts.names(url) && !isLoopback(url)
    return isOddPort ? 'uses another port than 443' : undefined
  }
  const rules = { ...deps.rules, keysUrlProblem }
  const pinned = new Map(
    [...deps.pinned].map(([url, text]) => [url, parsePinnedDocument(text, url, deps.rules)]),
  )
  const documents = createRemoteDocuments<DocumentedClient>({
    ...deps,
    maxBytes: MAX_BYTES,
    parse: (text, url) => parseMetadataDocument(text, url, rules),
    bounds: BOUNDS,
    lastGood: grantLifetime,
    isNamed: hosts.names,
    findStored: (url) => copies.find(sha256(url)),
  })
  /** Copies that this process stored, by client, with the time until which the record lives long enough. */
  const stored = new Map<string, { readonly text: string; readonly until: number }>()

  return {
    async find(clientId, from) {
      const known = pinned.get(clientId)
      const problem = known ? undefined : urlProblem(clientId)
      if (problem !== undefined) throw new OAuthError('invalid_client', `client_id ${problem}`)
      return clientOf(clientId, known ?? (await documents.get(clientId, from)))
    },
    async remember({ id, hash, documentHost }) {
      const copy = documentHost === undefined ? undefined : documents.copyOf(id)
      if (!copy) return
      const before = stored.get(hash)
      if (before && before.text === copy.text && now() < before.until) return
      if (stored.size >= MAX_STORED) stored.clear()
      try {
        await copies.keep(hash, copy, grantLifetime)
      } catch (error) {
        // The client has its tokens: a store that fails now must not take them back.
        deps.onUnstored(error)
        return
      }
      stored.set(hash, { text: copy.text, until: now() + (grantLifetime * 1000) / 4 })
    },
  }
}

const MAX_STORED = 10_000

function clientOf(id: string, documented: DocumentedClient): Client {
  return {
    id,
    hash: sha256(id),
    configured: false,
    documentHost: new URL(id).host,
    ...documented,
  }
}
