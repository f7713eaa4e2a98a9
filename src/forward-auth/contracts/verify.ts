/**
 * `/verify`, as users of atrawog/mcp-oauth-gateway have it: Traefik's contract, and on each 200 the two headers that
 * their servers read, whatever `IDENTITY_HEADERS` says.
 *
 * @module
 */
import { withLines } from '../../check/answer.ts'
import {
  IDENTITY_HEADERS,
  type IdentityValue,
  identityHeaderLines,
} from '../../check/identity-headers.ts'
import type { Verified } from '../../credentials/credential.ts'
import type { Contract } from './contract.ts'
import { traefik } from './traefik.ts'

const VERIFY_HEADERS = ['X-User-Id', 'X-User-Name']

/** @param configured the identity headers that every allow has */
export function createVerify(configured: Readonly<Record<string, IdentityValue>>): Contract {
  const names = new Set(Object.keys(configured).map((name) => name.toLowerCase()))
  const absent = Object.fromEntries(
    Object.entries(IDENTITY_HEADERS).filter(
      ([name]) => VERIFY_HEADERS.includes(name) && !names.has(name.toLowerCase()),
    ),
  )
  // Neither of the two depends on the resource.
  const lines = (verified: Verified | undefined) =>
    verified
      ? identityHeaderLines({ ...verified, user: verified.sub }, absent)
      : Object.keys(absent).flatMap((name) => [name, ''])
  return {
    ...traefik,
    adapt: (answer, verified) =>
      answer.status === 200 ? withLines(answer, lines(verified)) : answer,
  }
}
