/**
 * Verifies the signatures of clients, whose keys stand in their metadata or at an address that it names.
 *
 * @module
 */
import { compactVerify, createLocalJWKSet, errors, type JSONWebKeySet } from 'jose'
import { OAuthError } from '../../errors.ts'
import type { FetchDocument } from '../../outbound/document-fetch.ts'
import type { Client, ClientKeys } from './client.ts'
import type { FetchBudget } from './fetch-budget.ts'
import { readKeySet } from './key-set.ts'
import {
  createRemoteDocuments,
  type FetchFailure,
  type RemoteDocuments,
} from './remote-documents.ts'

export interface AssertionKeys {
  /**
   * True if one of the client's keys made the signature.
   * @param from the address that the request came from
   * @throws DocumentUnavailable if the keys cannot be read now: the signature may be good
   */
  verify(
    jws: string,
    client: Pick<Client, 'configured'> & { readonly keys: ClientKeys },
    from: string,
  ): Promise<boolean>
}

const MAX_BYTES = 64 * 1024
const BOUNDS = { min: 60, max: 3600, unsaid: 300 }
/** Seconds for which known keys serve while their host does not answer. */
const LAST_GOOD = 86_400

type KeySet = ReturnType<typeof createLocalJWKSet>

/**
 * @param deps `fetch` guards against addresses that a stranger chose; `fetchConfigured` goes wherever the operator's
 *   configuration says; `now` in milliseconds since the epoch
 */
export function createAssertionKeys(deps: {
  readonly algorithms: readonly string[]
  readonly fetch: FetchDocument
  readonly fetchConfigured: FetchDocument
  readonly budget: FetchBudget
  readonly onFailure: (failure: FetchFailure) => void
  readonly now: () => number
  /** Milliseconds on a clock that is never set back. */
  readonly elapsed: () => number
}): AssertionKeys {
  const common = { ...deps, maxBytes: MAX_BYTES, parse, bounds: BOUNDS, lastGood: LAST_GOOD }
  const remote = createRemoteDocuments(common)
  const configured = createRemoteDocuments({
    ...common,
    fetch: deps.fetchConfigured,
    isNamed: () => true,
  })
  const local = new WeakMap<JSONWebKeySet, KeySet>()
  const algorithms = [...deps.algorithms]

  function localSet(jwks: JSONWebKeySet): KeySet {
    const set = local.get(jwks) ?? createLocalJWKSet(jwks)
    local.set(jwks, set)
    return set
  }

  async function verifyRemotely(jws: string, uri: string, from: string, sets: Sets) {
    const seen = await sets.get(uri, from)
    if (await isSignedBy(seen.set, jws, algorithms)) return true
    // The client may have changed its keys since.
    const newer = await sets.newerThan(seen, uri, from)
    return newer !== seen && isSignedBy(newer.set, jws, algorithms)
  }

  return {
    verify(jws, { keys, configured: isConfigured }, from) {
      switch (keys.kind) {
        case 'jwks':
          return isSignedBy(localSet(keys.jwks), jws, algorithms)
        case 'jwks_uri':
          return verifyRemotely(jws, keys.uri, from, isConfigured ? configured : remote)
      }
    },
  }
}

interface Fetched {
  readonly set: KeySet
}
type Sets = RemoteDocuments<Fetched>

function parse(text: string): Fetched {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new OAuthError('invalid_client', 'the jwks_uri of the client has no JSON', { cause })
  }
  const read = readKeySet(json)
  if ('jwks' in read) return { set: createLocalJWKSet(read.jwks) }
  throw new OAuthError('invalid_client', `the document at the jwks_uri ${read.problem}`)
}

/** Tries each key that fits if the header names none (several keys of one kind). */
async function isSignedBy(set: KeySet, jws: string, algorithms: string[]): Promise<boolean> {
  try {
    await compactVerify(jws, set, { algorithms })
    return true
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return isNoFault(error)
    for await (const key of error) {
      try {
        await compactVerify(jws, key, { algorithms })
        return true
      } catch (inner) {
        isNoFault(inner)
      }
    }
    return false
  }
}

/** False for a signature or key that does not fit. @throws the error if it is anything else */
function isNoFault(error: unknown): false {
  // A key that cannot be imported is a TypeError or a DOMException of the runtime: the client's fault as well.
  if (
    error instanceof errors.JOSEError ||
    error instanceof TypeError ||
    error instanceof DOMException
  ) {
    return false
  }
  throw error
}
