/**
 * An API key for the length of one run of `gatewarden doctor`: with it a request passes the login as a program's would.
 *
 * @module
 */
import { join } from 'node:path'
import type { Config } from '../../config/config.ts'
import { makeApiKey } from '../../credentials/api-keys/key-form.ts'
import { randomToken, sha256 } from '../../crypto.ts'
import { apiKeySubject } from '../../oauth/subject.ts'
import { createRecords } from '../../records/records.ts'
import type { Resource } from '../../resources/resource-table.ts'
import { READING_TOOLS } from '../../resources/tool-choices.ts'
import { exists } from '../create-once.ts'
import type { OpenStore } from '../with-store.ts'

/** Seconds. The key ends at the end of the run; this is for a run that was killed. */
const LIFETIME = 300

export interface ProbeKey {
  readonly key: string
  /** The id that the server learns of the caller. */
  readonly subject: string
  revoke(): Promise<void>
}

/** True if this machine has the store and the root secret: a command that only looks must not make them. */
export async function hasStore({ redis, dataDir, secret }: Config): Promise<boolean> {
  const isSecret = secret !== undefined || (await exists(join(dataDir, 'secret')))
  return isSecret && (redis !== undefined || (await exists(join(dataDir, 'store', 'data.mdb'))))
}

/** Makes a key that opens one server. Rejects with StorageUnavailable. */
export async function makeProbeKey(
  resource: Resource,
  { storage, keyring, now }: OpenStore,
): Promise<ProbeKey> {
  const { apiKeys } = createRecords(storage, { keyring })
  const { id, key } = makeApiKey(keyring, randomToken)
  const createdAt = Math.floor(now() / 1000)
  await apiKeys.create({
    id,
    name: `doctor-${id}`,
    hash: sha256(key),
    scopes: leastScopes(resource),
    resources: [resource.id],
    createdAt,
    expiresAt: createdAt + LIFETIME,
  })
  return { key, subject: apiKeySubject(id), revoke: () => apiKeys.revoke(id) }
}

/** The scopes without which no request passes; if there are none, the smallest that a key can have. */
function leastScopes({
  requiredScopes,
  hasToolChoices,
  defaultScopes,
  scopes,
}: Resource): string[] {
  if (requiredScopes.length > 0) return [...requiredScopes]
  if (hasToolChoices) return [READING_TOOLS]
  return [...defaultScopes, ...Object.keys(scopes)].slice(0, 1)
}
