/**
 * Judges a token of the provider before a client gets it, by the decision that a request with it gets: a client gets no
 * token that a check would refuse (decision 0062).
 *
 * @module
 */
import type { Credential } from '../credentials/credential.ts'
import type { ProviderTokens } from '../credentials/provider-tokens/provider-tokens.ts'
import type { JudgeToken } from '../oauth/relay/relay.ts'
import { decide, reasonOf } from './decide.ts'

const FOREIGN: Credential = {
  kind: 'refused',
  reason: 'it has another issuer, or the server accepts no tokens of the provider',
  source: 'bearer',
}

/** @param source the provider's own tokens as bearers */
export function createTokenJudge(source: Pick<ProviderTokens, 'verifyIssued'>): JudgeToken {
  return async (token, resource) => {
    const decision = decide(resource, (await source.verifyIssued(token, resource)) ?? FOREIGN)
    switch (decision.kind) {
      case 'allow': {
        const { sub, scopes, expiresAt } = decision.verified
        return { kind: 'good', sub, scopes, expiresAt }
      }
      case 'insufficient-scope': {
        const { scopes } = decision.verified
        const missing = resource.requiredScopes.filter((scope) => !scopes.includes(scope))
        return { kind: 'refused', reason: `it lacks a required scope: ${missing.join(' ')}` }
      }
      case 'forbid':
        return {
          kind: 'refused',
          reason:
            'the person is not on the list by what it says: e-mail and groups have to be in it',
        }
      case 'challenge':
      case 'malformed':
        return { kind: 'refused', reason: reasonOf(decision) ?? decision.kind }
    }
  }
}
