/**
 * The addresses that proxies ask, each with a family's contract: `/auth/<family>`, and the addresses that users of
 * other systems have in their configuration.
 *
 * @module
 */

import type { Check } from '../check/check.ts'
import type { IdentityHeaders } from '../check/identity-headers.ts'
import type { ResourceTable } from '../resources/resource-table.ts'
import { createByHost } from './contracts/by-host.ts'
import type { Contract } from './contracts/contract.ts'
import { CONTRACTS, DEFAULT_CONTRACT } from './contracts/index.ts'
import { createVerify } from './contracts/verify.ts'
import { alsoDirectly, type DirectQuestions } from './direct.ts'

export interface Endpoint {
  readonly path: string
  readonly contract: Contract
  readonly check: Check
  /** True if `<path>/r/<id>` is about only the resource of that id. */
  readonly canPin: boolean
}

/** Every endpoint of the check. */
export function createEndpoints(deps: {
  check: Check
  resources: ResourceTable
  identityHeaders: IdentityHeaders
  /** mcpauth's address of the check; absent: none. */
  protectedPath?: string | undefined
  /** Absent: a proxy has to ask. */
  direct?: DirectQuestions | undefined
}): readonly Endpoint[] {
  const { check, resources, identityHeaders, protectedPath, direct } = deps
  const byDefault = alsoDirectly(DEFAULT_CONTRACT, direct)
  const own: Endpoint = { path: '/auth', contract: byDefault, check, canPin: true }
  return [
    own,
    ...(protectedPath === undefined || protectedPath === own.path
      ? []
      : [{ ...own, path: protectedPath, canPin: false }]),
    ...CONTRACTS.map((contract) => ({
      path: `/auth/${contract.family}`,
      contract,
      check,
      canPin: true,
    })),
    {
      path: '/verify',
      contract: alsoDirectly(createVerify(identityHeaders), direct),
      check,
      canPin: false,
    },
    { path: '/authenticate', contract: createByHost(resources), check, canPin: false },
  ]
}
