/**
 * Makes a discovery document readable: optional members that are empty or of another kind count as absent. Required
 * ones, and addresses that are nonsense, are refused where they are needed.
 *
 * @module
 */
import type { ServerMetadata } from 'openid-client'
import { isText, kindOf, type ReportOddity } from './oddities.ts'

const OPTIONAL_ENDPOINTS = [
  'userinfo_endpoint',
  'introspection_endpoint',
  'revocation_endpoint',
  'end_session_endpoint',
]
const LISTS = [
  'token_endpoint_auth_methods_supported',
  'introspection_endpoint_auth_methods_supported',
  'revocation_endpoint_auth_methods_supported',
  'id_token_signing_alg_values_supported',
  'userinfo_signing_alg_values_supported',
  'prompt_values_supported',
]

/** @param algorithms that we verify, for a document that does not say which ones the provider uses */
export function tidyDiscovery(
  document: Readonly<ServerMetadata>,
  { algorithms, tolerated }: { algorithms: readonly string[]; tolerated: ReportOddity },
): ServerMetadata {
  const { issuer } = document
  const tidied: Record<string, unknown> = { ...document }
  const odd: string[] = []
  for (const name of OPTIONAL_ENDPOINTS) {
    const value = tidied[name]
    if (value !== null && value !== '') continue
    odd.push(`${name} is ${kindOf(value)}`)
    delete tidied[name]
  }
  for (const name of LISTS) {
    const value = tidied[name]
    if (value === undefined) continue
    const all: readonly unknown[] = Array.isArray(value) ? value : [value]
    const texts = all.filter(isText)
    if (texts.length > 0) tidied[name] = texts
    else delete tidied[name]
    if (!Array.isArray(value)) odd.push(`${name} is ${kindOf(value)}`)
    else if (texts.length < all.length) odd.push(`${name} has an entry that is not a string`)
  }
  tidied.id_token_signing_alg_values_supported ??= algorithms
  if (odd.length > 0) tolerated(`the discovery document: ${odd.join(', ')}`)
  return { ...tidied, issuer }
}
