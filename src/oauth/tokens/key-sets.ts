import type { SigningKeyDeps } from './signing-keys.ts'

/**
 * The two lists of signing keys: those of access tokens and those of sessions (decision K34).
 * @param lifetimes `session`: the longest life of a session, in seconds
 */
export function keySetsOf(
  common: Omit<SigningKeyDeps, 'algorithm' | 'retention'>,
  lifetimes: { readonly session: number },
): { readonly access: SigningKeyDeps; readonly session: SigningKeyDeps } {
  return {
    access: { ...common, algorithm: 'ES256' },
    session: { ...common, algorithm: 'RS256', retention: lifetimes.session },
  }
}
