import type { BroughtKey } from './brought-key.ts'
import type { SigningKeyDeps } from './signing-keys.ts'

/**
 * The two lists of signing keys: those of access tokens and those of sessions (decision K34). They are one list if the
 * operator brings an RSA key, which then signs both.
 * @param options `session`: the longest life of a session, in seconds; `brought`: the operator's key
 */
export function keySetsOf(
  common: Omit<SigningKeyDeps, 'algorithm' | 'retention' | 'brought'>,
  options: { readonly session: number; readonly brought?: BroughtKey | undefined },
): { readonly access: SigningKeyDeps; readonly session: SigningKeyDeps } {
  const { brought } = options
  const ours = (algorithm: SigningKeyDeps['algorithm']) =>
    brought?.algorithm === algorithm ? brought : undefined
  const session: SigningKeyDeps = {
    ...common,
    algorithm: 'RS256',
    retention: options.session,
    brought: ours('RS256'),
  }
  const access: SigningKeyDeps = { ...common, algorithm: 'ES256', brought: ours('ES256') }
  return { access: session.brought ? session : access, session }
}
