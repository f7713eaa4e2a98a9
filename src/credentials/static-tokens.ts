/**
 * Fixed tokens as credentials (decision K33). They are for programs, so no list of people applies, and only the
 * configuration ends them.
 *
 * @module
 */
import { constantTimeEqual, sha256 } from '../crypto.ts'
import { staticSubject } from '../oauth/subject.ts'
import type { Resource } from '../resources/resource-table.ts'
import type { Credential } from './credential.ts'
import type { BearerSource } from './credentials.ts'

interface Entry {
  readonly config: StaticTokenConfig
  /** The same object for a resource each time, since decisions are remembered by it; another one for other scopes. */
  readonly credentials: WeakMap<
    Resource,
    { readonly scopes: Resource['scopes']; readonly credential: Credential }
  >
}

/** Characters of a hash that the look-up uses; the whole hash is compared in constant time. */
const KEY_LENGTH = 16

/** The configured tokens. For any other token the source answers undefined, at once and without I/O. */
export function createStaticTokens(configured: readonly StaticTokenConfig[]): BearerSource {
  const entries = new Map<string, Entry>(
    configured.map((config) => [
      config.tokenHash.slice(0, KEY_LENGTH),
      { config, credentials: new WeakMap() },
    ]),
  )
  return {
    verify(token, resource) {
      if (entries.size === 0) return undefined
      const hash = sha256(token)
      const entry = entries.get(hash.slice(0, KEY_LENGTH))
      if (!entry || !constantTimeEqual(hash, entry.config.tokenHash)) return undefined
      const { scopes } = resource
      const known = entry.credentials.get(resource)
      if (known?.scopes === scopes) return known.credential
      const credential = credentialOf(entry.config, resource)
      entry.credentials.set(resource, { scopes, credential })
      return credential
    },
  }
}

function credentialOf(
  { name, scopes, resources }: StaticTokenConfig,
  resource: Resource,
): Credential {
  const carried = Object.keys(resource.scopes).filter((scope) => scopes?.includes(scope) ?? true)
  // Without this check a token with no scope of the server would open a server that demands none.
  const opens = (resources?.includes(resource.id) ?? true) && carried.length > 0
  return {
    kind: 'verified',
    verified: {
      source: 'bearer',
      isFor: (asked) => opens && asked === resource,
      isPerson: false,
      person: { issuer: 'static', subject: name, preferredUsername: name, groups: [] },
      sub: staticSubject(name),
      scopes: carried,
      clientHash: sha256(`static:${name}`),
      expiresAt: Number.POSITIVE_INFINITY,
    },
  }
}

/** A fixed token of a program. */
export interface StaticTokenConfig {
  /** Shown to servers as the user: `[A-Za-z0-9._-]{1,64}`. */
  readonly name: string
  /** SHA-256 of the token, base64url. */
  readonly tokenHash: string
  /** The scopes that the token carries; absent: all that a resource offers. */
  readonly scopes?: readonly string[]
  /** The ids of the resources that the token opens; absent: all. */
  readonly resources?: readonly string[]
}
