/**
 * API keys as credentials: as a bearer, or in a header of their own. They are for programs, so no list of people applies.
 * A key that was verified before costs a look-up and a check that its record still stands, as a token does.
 *
 * @module
 */
import { constantTimeEqual, type Keyring, sha256 } from '../../crypto.ts'
import { apiKeySubject } from '../../oauth/subject.ts'
import type { Identity } from '../../providers/provider.ts'
import type { ApiKey, ApiKeys } from '../../records/api-keys.ts'
import type { WatchGrant } from '../../records/grant-watch.ts'
import { StorageUnavailable } from '../../storage/storage.ts'
import type { Credential, Verified } from '../credential.ts'
import { createVerifiedCache } from '../verified-cache.ts'
import { idOfApiKey } from './key-form.ts'

export interface ApiKeySource {
  /** The credential of a key that was verified before, without a promise. Throws StorageUnavailable. */
  known(key: string): Credential | undefined
  /** The credential of text that begins as a key. May reject with StorageUnavailable. */
  verify(key: string): Credential | Promise<Credential>
  /** Tells whether we made a key, whatever became of it since. */
  inspect(key: string): { readonly ok: true } | { readonly ok: false; readonly reason: string }
}

export interface ApiKeySourceDeps {
  readonly apiKeys: ApiKeys
  readonly keyring: Pick<Keyring, 'verifyMac'>
  /** Watches the record of a key. */
  readonly watchKey: WatchGrant
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const refused = (reason: string): Credential => ({ kind: 'refused', reason, source: 'bearer' })
const NOT_OURS = refused('the API key is not one of ours')
const EXPIRED = refused('the API key has expired')
const REVOKED = refused('the API key was revoked or has expired')
/** Stands for the provider and the issuer of a key, which has none. */
const NO_PROVIDER = 'api-key'

export function createApiKeySource(deps: ApiKeySourceDeps): ApiKeySource {
  const { apiKeys, keyring, watchKey, now } = deps
  const kept = createVerifiedCache({
    keyGeneration: () => 0,
    expired: () => EXPIRED,
    revoked: REVOKED,
    now,
  })

  async function verify(id: string, key: string): Promise<Credential> {
    const watch = watchKey(id)
    const record = await apiKeys.find(id)
    if (!record || !constantTimeEqual(record.hash, sha256(key))) {
      // An entry from before a silence of the store must not outlive it.
      kept.forget(key)
      return REVOKED
    }
    const verified = verifiedOf(record)
    if (now() >= verified.expiresAt) return EXPIRED
    const { person, expiresAt } = verified
    const { issuer, subject } = person
    const grant = { id, provider: NO_PROVIDER, issuer, subject, expiresAt: expiresAt / 1000 }
    kept.keep({ token: key, verified, generation: 0, reading: { grant, person, watch } })
    return { kind: 'verified', verified }
  }

  return {
    known: (key) => kept.find(key)?.credential,
    verify(key) {
      const known = kept.find(key)
      if (known) return known.credential
      const id = idOfApiKey(key, keyring)
      if (id === undefined) return NOT_OURS
      return verify(id, key).catch((error: unknown) => {
        const before = error instanceof StorageUnavailable ? kept.findInOutage(key) : undefined
        if (before) return before.credential
        throw error
      })
    },
    inspect: (key) =>
      idOfApiKey(key, keyring) === undefined ? { ok: false, reason: 'invalid' } : { ok: true },
  }
}

function verifiedOf({ id, name, scopes, resources, expiresAt }: ApiKey): Verified {
  const person: Identity = { issuer: NO_PROVIDER, subject: id, name, groups: [] }
  return {
    source: 'bearer',
    // Without a scope of the server, a key would open a server that demands none.
    isFor: (resource) =>
      (resources?.includes(resource.id) ?? true) &&
      scopes.some(
        (scope) =>
          Object.hasOwn(resource.scopes, scope) || Object.hasOwn(resource.configuredScopes, scope),
      ),
    isPerson: false,
    person,
    sub: apiKeySubject(id),
    scopes,
    clientHash: sha256(`api-key:${id}`),
    expiresAt: expiresAt === undefined ? Number.POSITIVE_INFINITY : expiresAt * 1000,
  }
}
