/**
 * Reads a Client ID Metadata Document (draft-ietf-oauth-client-id-metadata-document-02 sections 4 and 8.2). Members that
 * are not understood are ignored; of grant types, response types and methods we take those that both sides know.
 *
 * @module
 */
import { z } from 'zod'
import { OAuthError } from '../../errors.ts'
import { DEVICE_CODE } from '../grants/names.ts'
import { type RedirectRules, redirectUriProblem } from '../redirect-uri.ts'
import type { Client, ClientKeys } from './client.ts'
import { clientIdUrlProblem } from './client-id-url.ts'
import { clientName } from './client-name.ts'
import { hasSecretKey, readKeySet } from './key-set.ts'

/** Everything that a document decides about its client. */
export type DocumentedClient = Pick<
  Client,
  'name' | 'redirectUris' | 'grantTypes' | 'authMethod' | 'keys'
>

export interface DocumentRules {
  readonly redirectRules: RedirectRules
  /** The redirect URIs that the operator allows clients which are not configured. */
  readonly allowsRedirect: (redirectUri: string) => boolean
  /** The grant types that a client may have which nobody vouches for. */
  readonly grantTypes: readonly string[]
  /** The reason why keys cannot be read at this address, as the rest of a sentence; undefined if they can. */
  readonly keysUrlProblem: (uri: string) => string | undefined
}

/** The grant types that a client may give itself: in each of them a person decides. */
export const SELF_DECLARED_GRANTS: readonly string[] = [
  'authorization_code',
  'refresh_token',
  DEVICE_CODE,
]

const strings = z.array(z.string())
const Document = z.looseObject({
  client_id: z.string(),
  client_name: z.string().min(1),
  redirect_uris: strings.min(1).max(32).optional(),
  grant_types: strings.optional(),
  response_types: strings.optional(),
  token_endpoint_auth_method: z.string().optional(),
  token_endpoint_auth_methods_supported: strings.min(1).optional(),
  jwks: z.unknown().optional(),
  jwks_uri: z.string().optional(),
})
type Document = z.output<typeof Document>

/**
 * @param text the JSON text
 * @param clientId the URL at which the document was read
 * @throws OAuthError `invalid_client`, whose description tells the author of the document what is wrong with it
 */
export function parseMetadataDocument(
  text: string,
  clientId: string,
  rules: DocumentRules,
): DocumentedClient {
  const document = readDocument(text)
  if (document.client_id !== clientId) {
    throw unusable('has another client_id than the URL at which it stands')
  }
  if ('client_secret' in document || 'client_secret_expires_at' in document) {
    throw unusable('holds a client_secret, which everybody can read')
  }
  if (document.jwks !== undefined && hasSecretKey(document.jwks)) {
    throw unusable('holds a private or symmetric key, which everybody can read')
  }
  const granted = grantTypes(document, rules.grantTypes)
  return {
    name: clientName(document.client_name),
    redirectUris: granted.includes('authorization_code')
      ? redirectUris(document.redirect_uris ?? [], rules)
      : [],
    grantTypes: granted,
    ...authentication(document, rules),
  }
}

/**
 * As {@link parseMetadataDocument}, for a document that the operator chose: the lists of hosts do not apply to it, so the
 * start of the program comes to the same result as the check of its configuration.
 */
export function parsePinnedDocument(
  text: string,
  clientId: string,
  rules: Pick<DocumentRules, 'redirectRules' | 'grantTypes'>,
): DocumentedClient {
  return parseMetadataDocument(text, clientId, {
    ...rules,
    allowsRedirect: () => true,
    keysUrlProblem: (uri) => clientIdUrlProblem(uri, { loopback: false }),
  })
}

const unusable = (problem: string, options?: ErrorOptions) =>
  new OAuthError('invalid_client', `the client metadata document ${problem}`, options)

function readDocument(text: string): Document {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw unusable('is not JSON', { cause })
  }
  const parsed = Document.safeParse(json)
  if (parsed.success) return parsed.data
  const members = [
    ...new Set(parsed.error.issues.map(({ path }) => String(path[0] ?? 'all of it'))),
  ]
  throw unusable(`has missing or malformed members: ${members.join(', ')}`, { cause: parsed.error })
}

function redirectUris(asked: readonly string[], rules: DocumentRules): readonly string[] {
  const good = asked.filter(
    (uri) =>
      redirectUriProblem(uri, rules.redirectRules) === undefined && rules.allowsRedirect(uri),
  )
  if (good.length > 0) return [...new Set(good)]
  const [first] = asked
  if (first === undefined) throw unusable('has missing or malformed members: redirect_uris')
  const problem = redirectUriProblem(first, rules.redirectRules) ?? 'is not allowed by the operator'
  throw unusable(`has no redirect URI that is possible here: the first one ${problem}`)
}

/** Those of most clients if the document names none, as at registration (decision K16). */
function grantTypes(
  { grant_types: asked, response_types: responseTypes }: Document,
  possible: readonly string[],
): readonly string[] {
  const common = possible.filter((type) => (asked ? asked.includes(type) : type !== DEVICE_CODE))
  // RFC 7591 section 2.1: the response type `code` belongs to the code grant.
  const usable =
    responseTypes && !responseTypes.includes('code')
      ? common.filter((type) => type !== 'authorization_code')
      : common
  if (usable.some((type) => type !== 'refresh_token')) return usable
  throw unusable('has no grant type that is possible here')
}

/** Methods with a shared secret are impossible, since the document is public (section 4.1). */
function authentication(
  document: Document,
  rules: DocumentRules,
): Pick<DocumentedClient, 'authMethod' | 'keys'> {
  const asked = document.token_endpoint_auth_methods_supported ?? [
    document.token_endpoint_auth_method ?? 'none',
  ]
  const offersNone = asked.includes('none')
  if (!asked.includes('private_key_jwt')) {
    if (offersNone) return { authMethod: 'none' }
    throw unusable(
      'has no method of authentication that is possible here: use none or private_key_jwt',
    )
  }
  const keys = keysOf(document, rules)
  // A document that offers both is that of a public client whose assertions are a bonus.
  if ('keys' in keys)
    return { authMethod: offersNone ? 'none' : 'private_key_jwt', keys: keys.keys }
  if (offersNone) return { authMethod: 'none' }
  throw unusable(keys.problem)
}

function keysOf(
  { jwks, jwks_uri: uri }: Document,
  { keysUrlProblem }: DocumentRules,
): { readonly keys: ClientKeys } | { readonly problem: string } {
  if ((jwks === undefined) === (uri === undefined)) {
    return { problem: 'must have either jwks or jwks_uri for private_key_jwt' }
  }
  if (uri !== undefined) {
    const problem = keysUrlProblem(uri)
    return problem === undefined
      ? { keys: { kind: 'jwks_uri', uri } }
      : { problem: `has a jwks_uri that ${problem}` }
  }
  const read = readKeySet(jwks)
  if ('jwks' in read) return { keys: { kind: 'jwks', jwks: read.jwks } }
  return { problem: `has a jwks that ${read.problem}` }
}
