/**
 * Dynamic client registration (RFC 7591): turns the metadata that a client asks for into the metadata that it gets.
 *
 * @module
 */
import { z } from 'zod'
import type { Keyring } from '../../crypto.ts'
import { OAuthError, RegistrationClosed } from '../../errors.ts'
import { GRANT_TYPES } from '../grants/index.ts'
import { DEVICE_CODE } from '../grants/names.ts'
import { type RedirectRules, redirectUriProblem } from '../redirect-uri.ts'
import {
  type Client,
  type ClientMetadata,
  REGISTERED_METHODS,
  type RegisteredMethod,
} from './client.ts'
import { clientName, shownName } from './client-name.ts'
import { type Clients, MAX_CLIENT_ID_LENGTH } from './clients.ts'
import { managementMembers } from './registration-management.ts'
import type { RegistrationPolicy } from './registration-policy.ts'

/** The grant types of a client that names none. */
const DEFAULT_GRANT_TYPES = GRANT_TYPES.filter(
  ({ registration }) => registration === 'default',
).map(({ grantType }) => grantType)
/** Other grant types are dropped, not refused (RFC 7591 section 2). */
const KNOWN_GRANT_TYPES = GRANT_TYPES.filter(({ registration }) => registration !== 'never').map(
  ({ grantType }) => grantType,
)

const strings = z.array(z.string())
const isEmpty = (value: unknown) =>
  value === null || value === '' || (Array.isArray(value) && value.length === 0)
/** Clients send `null`, `""` or `[]` for members that they mean to leave out. */
const withoutEmpty = (body: unknown) =>
  typeof body === 'object' && body !== null && !Array.isArray(body)
    ? Object.fromEntries(Object.entries(body).filter(([, value]) => !isEmpty(value)))
    : body
/** A list with an address that the client lacks, such as that of another system. */
const withoutEmptyEntries = (list: unknown) =>
  Array.isArray(list) ? list.filter((entry) => !isEmpty(entry)) : list
const Request = z.preprocess(
  withoutEmpty,
  z.object({
    redirect_uris: z.preprocess(withoutEmptyEntries, strings.max(32).optional()),
    client_name: z.string().optional(),
    token_endpoint_auth_method: z.string().optional(),
    grant_types: strings.optional(),
    response_types: strings.optional(),
    // Said back to the client, without effect here: never a reason to refuse. The body limit bounds them.
    scope: z.string().optional().catch(undefined),
    application_type: z.enum(['native', 'web']).optional().catch(undefined),
    client_uri: z.string().optional().catch(undefined),
    contacts: strings.optional().catch(undefined),
    software_id: z.string().optional().catch(undefined),
    software_version: z.string().optional().catch(undefined),
  }),
)

/** A registration that was made. */
export interface Registration {
  /** RFC 7591 section 3.2.1. Absent members are left out: clients' schemas refuse `null`. */
  readonly response: Readonly<Record<string, unknown>>
  readonly client: Client
  /** The software that the client says it is, and its version. */
  readonly software: string | undefined
}

/**
 * Registers a client. If only some of its redirect URIs are acceptable, only those are registered.
 * @param body the parsed JSON body
 * @param deps `now`: milliseconds since the epoch
 * @throws RegistrationClosed; OAuthError `invalid_redirect_uri` if no redirect URI is
 *   acceptable, `invalid_client_metadata` for anything else that cannot be honoured
 */
export async function registerClient(
  body: unknown,
  deps: {
    issuer: string
    keyring: Pick<Keyring, 'mac'>
    clients: Clients
    policy: RegistrationPolicy
    rules: RedirectRules
    now: () => number
  },
): Promise<Registration> {
  if (!deps.policy.isOpen) {
    throw new RegistrationClosed()
  }
  const parsed = Request.safeParse(body)
  if (!parsed.success) throw malformed(parsed.error)
  const request = parsed.data
  const granted = grantTypes(request.grant_types, request.response_types, deps.policy)
  const metadata: ClientMetadata = {
    name: clientName(request.client_name),
    // Nothing is ever sent to a client that only devices use.
    redirectUris: granted.includes('authorization_code')
      ? acceptableRedirectUris(request.redirect_uris ?? [], deps)
      : [],
    grantTypes: granted,
    authMethod: authMethod(request.token_endpoint_auth_method),
    issuedAt: Math.floor(deps.now() / 1000),
  }
  const client = await deps.clients.register(metadata)
  if (client.id.length > MAX_CLIENT_ID_LENGTH) {
    throw new OAuthError(
      'invalid_client_metadata',
      'the redirect URIs are too many or too long: register fewer or shorter ones',
    )
  }
  const { scope, application_type, client_uri, contacts, software_id, software_version } = request
  const software = shownName([software_id, software_version].join(' '))
  return {
    response: {
      ...registrationResponse(client, deps),
      ...present({ scope, application_type, contacts, software_id, software_version }),
      ...(client_uri?.startsWith('https://') && { client_uri }),
    },
    client,
    software: software || undefined,
  }
}

/** The registration of a client as it stands (RFC 7592 section 3). */
export function registrationResponse(
  client: Client,
  deps: {
    readonly issuer: string
    readonly keyring: Pick<Keyring, 'mac'>
    readonly clients: Clients
  },
): Registration['response'] {
  const issuedAt = client.registeredAt ?? 0
  return {
    client_id: client.id,
    client_id_issued_at: issuedAt,
    ...(client.authMethod !== 'none' && {
      client_secret: deps.clients.secretOf(client.id),
      client_secret_expires_at: expiryOf({ issuedAt }, deps.clients),
    }),
    client_name: client.name,
    redirect_uris: client.redirectUris,
    grant_types: client.grantTypes,
    response_types: client.grantTypes.includes('authorization_code') ? ['code'] : [],
    token_endpoint_auth_method: client.authMethod,
    ...managementMembers(client.id, deps),
  }
}

function malformed(error: z.ZodError): OAuthError {
  const members = [...new Set(error.issues.map(({ path }) => String(path[0] ?? 'the body')))]
  const code = members.includes('redirect_uris')
    ? 'invalid_redirect_uri'
    : 'invalid_client_metadata'
  return new OAuthError(code, `missing or malformed: ${members.join(', ')}`, { cause: error })
}

/** Seconds since the epoch; 0 means never (RFC 7591 section 3.2.1). */
function expiryOf({ issuedAt }: Pick<ClientMetadata, 'issuedAt'>, { lifetime }: Clients): number {
  return lifetime === undefined ? 0 : issuedAt + lifetime
}

function acceptableRedirectUris(
  uris: readonly string[],
  { policy, rules }: { policy: RegistrationPolicy; rules: RedirectRules },
): string[] {
  const judge = (uri: string) =>
    redirectUriProblem(uri, rules) ??
    (policy.allows(uri) ? undefined : 'leads to a host or an app that may not register here')
  const judged = uris.map((uri) => ({ uri, problem: judge(uri) }))
  const good = judged.filter(({ problem }) => problem === undefined).map(({ uri }) => uri)
  if (judged.length === 0) {
    throw new OAuthError('invalid_redirect_uri', 'missing or malformed: redirect_uris')
  }
  if (good.length === 0) {
    throw new OAuthError('invalid_redirect_uri', `a redirect URI ${judged[0]?.problem}`)
  }
  return [...new Set(good)]
}

/** The client's grant types: those of most clients if it names none (decision K16). */
function grantTypes(
  requested: readonly string[] = DEFAULT_GRANT_TYPES,
  responseTypes: readonly string[] | undefined,
  { allowsDevices }: Pick<RegistrationPolicy, 'allowsDevices'>,
): readonly string[] {
  const granted = KNOWN_GRANT_TYPES.filter(
    (type) => requested.includes(type) && (type !== DEVICE_CODE || allowsDevices),
  )
  if (granted.includes('authorization_code') && responseTypes?.includes('code') === false) {
    throw new OAuthError('invalid_client_metadata', 'response_types must include code')
  }
  if (granted.includes('authorization_code') || granted.includes(DEVICE_CODE)) return granted
  throw new OAuthError(
    'invalid_client_metadata',
    requested.includes(DEVICE_CODE)
      ? 'no client that registers itself may use the device grant here: ask the operator for a client_id'
      : 'grant_types must include authorization_code',
  )
}

/** RFC 7591 section 2: client_secret_basic is the default. */
function authMethod(requested = 'client_secret_basic'): RegisteredMethod {
  const method = REGISTERED_METHODS.find((known) => known === requested)
  if (!method) {
    throw new OAuthError(
      'invalid_client_metadata',
      `token_endpoint_auth_method must be one of ${REGISTERED_METHODS.join(', ')}`,
    )
  }
  return method
}

function present(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
