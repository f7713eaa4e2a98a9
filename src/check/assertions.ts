/**
 * The assertion for a verified caller at a resource, made once and kept with the credential, so that a warm check signs
 * nothing. A session of several servers has one for each.
 *
 * @module
 */
import type { Verified } from '../credentials/credential.ts'
import type { CallerAssertion, CallerAssertions } from '../oauth/tokens/caller-assertion.ts'
import type { Resource } from '../resources/resource-table.ts'
import type { CallerAtResource } from './identity-headers.ts'

export interface AssertionsOfCallers {
  /** The assertion that the server of `resource` gets now. */
  current(verified: Verified, resource: Resource, caller: CallerAtResource): CallerAssertion
  isFresh(assertion: CallerAssertion): boolean
}

export function createAssertionsOfCallers({
  make,
  isFresh,
}: CallerAssertions): AssertionsOfCallers {
  const kept = new WeakMap<Verified, WeakMap<Resource, CallerAssertion>>()
  return {
    isFresh,
    current(verified, resource, caller) {
      const before = kept.get(verified)?.get(resource)
      if (before && isFresh(before)) return before
      const { person, sub, scopes } = caller
      const { email, name, groups } = person
      const { audience } = resource
      const { expiresAt } = verified
      const made = make({ sub, email, name, groups, scopes, audience, expiresAt })
      const ofCaller = kept.get(verified) ?? new WeakMap<Resource, CallerAssertion>()
      kept.set(verified, ofCaller.set(resource, made))
      return made
    },
  }
}
