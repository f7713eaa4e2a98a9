/**
 * The preregistered clients: `clients` in the file, and mcpauth's `MCPAUTH_BOOTSTRAP_CLIENTS`.
 *
 * @module
 */
import type * as z from 'zod'
import {
  AUTH_METHODS,
  type ClientConfig,
  type ClientKeys,
  CONFIGURED_GRANT_TYPES,
} from '../../oauth/clients/client.ts'
import { readKeySet } from '../../oauth/clients/key-set.ts'
import { DEVICE_CODE } from '../../oauth/grants/names.ts'
import { asConfigured, redirectUriProblem } from '../../oauth/redirect-uri.ts'
import { mayAnnounce } from '../../resources/announced-scopes.ts'
import { createResourceTable, type ResourceConfig } from '../../resources/resource-table.ts'
import type { Disk } from '../sources/disk.ts'
import type { FileContents } from '../sources/file.ts'
import type { Chosen } from '../sources/precedence.ts'
import { isRecord } from '../sources/yaml.ts'
import { fields, list, section, text, toggle } from '../values/fields.ts'
import { labelBelow, parseWith } from '../values/issues.ts'
import { ownAddress } from '../values/path-prefix.ts'
import { parseDisplayName, parsePath } from '../values/plain.ts'
import { attempt, InvalidValue, quote, type Report } from '../values/problem.ts'
import { checkResourceIds } from '../values/resource-ids.ts'
import { parseScopeToken } from '../values/scopes.ts'
import { isLoopbackHost, urlOf } from '../values/urls.ts'
import { checkNoConsent } from './no-consent.ts'

const BOOTSTRAP = 'MCPAUTH_BOOTSTRAP_CLIENTS'
/** The client id under which mcpauth's edge login is a client of mcpauth itself. */
const EDGE_CLIENT = 'edge-auth-client'
/** mcpauth's clients list these scopes. No server has them, so they limit nothing. */
const OPENID_SCOPES = ['openid', 'email', 'profile', 'offline_access']

export const ClientSection = section({
  client_id: text(parseClientId).register(fields, { description: 'Client id.' }),
  client_secret: text(parseClientSecret).optional().register(fields, {
    description: 'Client secret. A client without a secret is a public client.',
    secret: true,
  }),
  client_secret_file: text(parsePath).optional().register(fields, {
    description: 'File that holds the client secret, instead of `client_secret`.',
  }),
  client_name: text(parseDisplayName).optional().register(fields, {
    description: 'Name that people see.',
  }),
  redirect_uris: list((uri) => uri)
    .optional()
    .register(fields, {
      description:
        'Redirect URIs of the client, needed for `authorization_code`. On loopback, any port matches.',
    }),
  scopes: list((scope) => scope)
    .optional()
    .register(fields, {
      description: 'Scopes that the client may get. Default: all scopes of a server.',
    }),
  resources: list((id) => id)
    .optional()
    .register(fields, {
      description: 'Ids of the servers that the client may use. Default: every server.',
    }),
  grant_types: list(parseGrantType).optional().register(fields, {
    description:
      '`authorization_code` and `refresh_token` (the default) for people who sign in; `urn:ietf:params:oauth:grant-type:device_code` for people who sign in on another machine than the program runs on; `client_credentials` for a program that acts for itself, with a client secret or keys.',
  }),
  token_endpoint_auth_method: text(parseAuthMethod).optional().register(fields, {
    description:
      '`client_secret_basic` (the default with a secret), `client_secret_post`, `private_key_jwt` (the default with keys) or `none` (the default without either).',
  }),
  jwks_uri: text(parseKeysUrl).optional().register(fields, {
    description:
      'Address of the public keys of a client that signs its requests (`private_key_jwt`), as a JWK Set: https, or http on this machine.',
  }),
  jwks_file: text(parsePath).optional().register(fields, {
    description: 'File with those keys, instead of `jwks_uri`.',
  }),
  consent: toggle().optional().register(fields, {
    description:
      '`false` leaves out the question whether the person allows this client. Only for a program of your own with a client secret whose redirect URIs are all https, and not on this computer (docs/clients.md).',
    kind: 'switch',
  }),
  introspects: list((id) => id)
    .optional()
    .register(fields, {
      description:
        'Ids of the servers whose access tokens this client may look up at `/introspect`, whoever holds them. Needs a client secret or keys.',
    }),
})
type ClientSection = z.output<typeof ClientSection>

/** @throws InvalidValue, without a secret, for a text that is no client id or reads like another kind of client id */
function parseClientId(value: string): string {
  if (!/^[\x21-\x7e]{1,256}$/.test(value)) {
    throw new InvalidValue('is not an id. Use 1 to 256 printable ASCII characters without spaces.')
  }
  if (/^https?:\/\//i.test(value)) {
    throw new InvalidValue(
      `${quote(value)} is a URL, which would mean a Client ID Metadata Document. Choose a name.`,
    )
  }
  if (/^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/.test(value)) {
    throw new InvalidValue('has the form of the ids that registration issues. Choose another id.')
  }
  return value
}

function parseClientSecret(value: string): string {
  if (!/^[\x20-\x7e]{1,1024}$/.test(value)) {
    throw new InvalidValue(
      'is empty, too long or not plain ASCII. Make one with: openssl rand -base64 32.',
    )
  }
  return value
}

function parseGrantType(value: string): ClientConfig['grantTypes'][number] {
  const known = CONFIGURED_GRANT_TYPES.find((type) => type === value)
  if (known) return known
  throw new InvalidValue(
    `${quote(value)} is not a supported grant type. Write one of ${CONFIGURED_GRANT_TYPES.join(', ')}.`,
  )
}

function parseAuthMethod(value: string): ClientConfig['authMethod'] {
  const method = AUTH_METHODS.find((known) => known === value)
  if (method) return method
  throw new InvalidValue(
    `${quote(value)} is not a supported method. Write one of ${AUTH_METHODS.join(', ')}.`,
  )
}

/** @throws InvalidValue unless `value` is an https URL, or an http URL of this machine */
function parseKeysUrl(value: string): string {
  const url = urlOf(value)
  const isSafe =
    url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(url.hostname))
  if (url && isSafe && url.username === '' && url.password === '' && url.hash === '') {
    return url.href
  }
  throw new InvalidValue(
    `${quote(value)} is not an https URL. Write it like https://ci.example.com/jwks.json.`,
  )
}

interface Parts extends Chosen {
  readonly file: FileContents
  readonly disk: Disk
  readonly report: Report
  readonly resources: readonly ResourceConfig[]
}

/** A client, and the name by which problems call it. */
export interface PlacedClient {
  readonly at: string
  readonly client: ClientConfig
}

/** The clients without a problem; the problems of the others go to the report. */
export function buildClients(parts: Parts): PlacedClient[] {
  const { file, settings, report } = parts
  const built = [
    ...(file.clients ?? []).map((value, index) => ({ value, index, from: 'clients' })),
    ...(settings.mcpauth_bootstrap_clients ?? [])
      .map((value, index) => ({ value, index, from: BOOTSTRAP }))
      .filter(({ value, index }) => isKept(value, index, report)),
  ].flatMap(({ value, index, from }) => {
    const at = `${from}.${isRecord(value) && typeof value.client_id === 'string' ? value.client_id : index + 1}`
    const parsed = parseWith(ClientSection, value, {
      report,
      label: labelBelow(at),
      keys: () => Object.keys(ClientSection.shape),
    })
    const client = 'value' in parsed ? buildClient(parsed.value, { ...parts, at }) : undefined
    return client ? [{ at, client }] : []
  })
  const owners = new Set<string>()
  for (const { at, client } of built) {
    if (owners.has(client.id)) report.problem(at, 'is listed twice. Remove the duplicate.')
    owners.add(client.id)
  }
  return built
}

/**
 * Whether to keep a client of mcpauth's list. mcpauth ignores a client with a part missing. The client of its edge
 * login is not needed: it redirects to the gateway itself, and Gatewarden needs no client to log in there.
 */
function isKept(value: unknown, index: number, report: Report): boolean {
  if (!isRecord(value)) return true
  const { client_id: id, client_secret: secret, redirect_uris: uris } = value
  const at = `${BOOTSTRAP}.${typeof id === 'string' && id !== '' ? id : index + 1}`
  if (id === EDGE_CLIENT) {
    report.warning(at, 'is not needed, so it is ignored. Remove it.')
    return false
  }
  const isMissing = (part: unknown) => part === undefined || part === null || part === ''
  const missing = Object.entries({ client_id: id, client_secret: secret, redirect_uris: uris })
    .filter(([, part]) => isMissing(part) || (Array.isArray(part) && part.length === 0))
    .map(([name]) => name)
  if (missing.length === 0) return true
  report.warning(
    at,
    `has no ${missing.join(' and no ')}, so it is ignored. Add it; a client without a secret belongs under clients in gatewarden.yaml.`,
  )
  return false
}

function buildClient(
  section: ClientSection,
  parts: Parts & { readonly at: string },
): ClientConfig | undefined {
  const { at, resources, report } = parts
  const before = report.problems.length
  const grantTypes = section.grant_types ?? ['authorization_code', 'refresh_token']
  const redirectUris = section.redirect_uris ?? []
  if (grantTypes.includes('authorization_code')) checkRedirectUris(redirectUris, parts)
  else if (redirectUris.length > 0) {
    report.problem(
      `${at}.redirect_uris`,
      'needs the grant type authorization_code. Remove the list, or add the grant type.',
    )
  }
  const secret = secretOf(section, parts)
  // A secret in a file that cannot be read is a problem of its own.
  const hasSecret = (section.client_secret ?? section.client_secret_file) !== undefined
  const keys = keysOf(section, parts)
  const hasKeys = (section.jwks_uri ?? section.jwks_file) !== undefined
  const authMethod =
    section.token_endpoint_auth_method ??
    (hasSecret ? 'client_secret_basic' : hasKeys ? 'private_key_jwt' : 'none')
  if (hasKeys && (hasSecret || authMethod !== 'private_key_jwt')) {
    report.problem(
      `${at}.token_endpoint_auth_method`,
      'is private_key_jwt alone for a client with keys. Remove its secret and other method, or its keys.',
    )
  } else if (authMethod === 'private_key_jwt' && !hasKeys) {
    report.problem(
      `${at}.token_endpoint_auth_method`,
      'needs keys, but the client has none. Add jwks_uri or jwks_file.',
    )
  } else if (!hasKeys && (authMethod === 'none') === hasSecret) {
    report.problem(
      `${at}.token_endpoint_auth_method`,
      hasSecret
        ? 'is none, but the client has a secret. Remove one of the two.'
        : 'needs a secret, but the client has none. Add client_secret_file, or write none.',
    )
  }
  const isConfidential = hasSecret || hasKeys
  checkGrantTypes(grantTypes, { ...parts, isConfidential, introspects: section.introspects })
  const scopes = scopesOf(section.scopes, parts)
  if (section.resources) {
    checkResourceIds(section.resources, { label: `${at}.resources`, resources, report })
  }
  const introspects = introspectedOf(section.introspects, { ...parts, isConfidential })
  if (section.consent === false) {
    const servers = resources.filter(({ id }) => section.resources?.includes(id) ?? true)
    const hasScopes = scopes !== undefined
    checkNoConsent({ ...parts, hasSecret, grantTypes, redirectUris, servers, hasScopes })
  }
  if (report.problems.length > before) return undefined
  return {
    id: section.client_id,
    name: section.client_name ?? section.client_id,
    ...(secret !== undefined && { secret }),
    redirectUris,
    ...(scopes && { scopes }),
    ...(section.resources && { resources: section.resources }),
    ...(introspects && { introspects }),
    ...(section.consent === false && { needsConsent: false as const }),
    grantTypes,
    authMethod,
    ...(keys && { keys }),
  }
}

function keysOf(
  { jwks_uri: uri, jwks_file: file }: ClientSection,
  { at, disk, report }: Parts & { readonly at: string },
): ClientKeys | undefined {
  if (uri !== undefined && file !== undefined) {
    report.problem(`${at}.jwks_uri`, 'conflicts with jwks_file. Remove one of the two.')
  }
  if (uri !== undefined) return { kind: 'jwks_uri', uri }
  if (file === undefined) return undefined
  return attempt(report, `${at}.jwks_file`, () => {
    const text = disk.find(file)
    if (text === undefined) throw new InvalidValue('there is no such file. Check the path.')
    const read = readKeySet(parsedJson(text))
    if ('jwks' in read) return { kind: 'jwks', jwks: read.jwks }
    throw new InvalidValue(`${read.problem}. Write {"keys": [...]} with public keys.`)
  })
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new InvalidValue('is not JSON. Write {"keys": [...]} with public keys.')
  }
}

function checkGrantTypes(
  grantTypes: ClientConfig['grantTypes'],
  parts: Parts & {
    readonly at: string
    readonly isConfidential: boolean
    readonly introspects: readonly string[] | undefined
  },
): void {
  const { at, isConfidential, introspects, report } = parts
  const label = `${at}.grant_types`
  if (grantTypes.length === 0 && introspects === undefined) {
    report.problem(label, 'lists no grant type. Add one, or leave the setting out.')
  }
  const hasPeople = grantTypes.includes('authorization_code') || grantTypes.includes(DEVICE_CODE)
  if (grantTypes.includes('refresh_token') && !hasPeople) {
    report.problem(label, 'has refresh_token without authorization_code. Add or remove one.')
  }
  if (grantTypes.includes('client_credentials') && !isConfidential) {
    report.problem(
      label,
      'has client_credentials, which needs a secret or keys. Add client_secret_file or jwks_file.',
    )
  }
}

function checkRedirectUris(
  uris: readonly string[],
  { at, settings, resources, report }: Parts & { readonly at: string },
): void {
  const rules = asConfigured({
    ownOrigin: ownAddress(settings),
    callbackPath: settings.callback_path,
    isProtected: createResourceTable(resources).hasHost,
    isOpenedScheme: () => true,
  })
  if (uris.length === 0) {
    report.problem(`${at}.redirect_uris`, 'lists no URI. Add the redirect URI of the client.')
  }
  for (const uri of uris) {
    const problem = redirectUriProblem(uri, rules)
    if (problem !== undefined) {
      report.problem(`${at}.redirect_uris`, `${quote(uri)} ${problem}. Change or remove it.`)
    }
  }
}

function secretOf(
  { client_secret: secret, client_secret_file: file }: ClientSection,
  { at, disk, report }: Parts & { readonly at: string },
): string | undefined {
  if (file === undefined) return secret
  if (secret !== undefined) {
    report.problem(
      `${at}.client_secret`,
      'conflicts with client_secret_file. Remove one of the two.',
    )
  }
  return attempt(report, `${at}.client_secret_file`, () => parseClientSecret(disk.readSecret(file)))
}

/** A limit to no scope, or to a scope that no server has, is a mistake in the configuration. */
function scopesOf(
  given: readonly string[] | undefined,
  { at, resources, report }: Parts & { readonly at: string },
): readonly string[] | undefined {
  const fromMcpauth = at.startsWith(`${BOOTSTRAP}.`)
  const scopes = fromMcpauth ? given?.filter((scope) => !OPENID_SCOPES.includes(scope)) : given
  if (fromMcpauth && scopes?.length === 0) return undefined
  if (scopes?.length === 0) {
    report.problem(`${at}.scopes`, 'lists no scope. Add one, or leave the setting out.')
  }
  for (const scope of scopes ?? []) {
    const valid = attempt(report, `${at}.scopes`, () => parseScopeToken(scope))
    if (
      valid !== undefined &&
      !resources.some((one) => Object.hasOwn(one.scopes, scope) || mayAnnounce(one, scope))
    ) {
      report.problem(`${at}.scopes`, `no server offers "${scope}". Remove it.`)
    }
  }
  return scopes
}

/** Everybody can name the id of a public client, so only a secret or keys open the tokens of others. */
function introspectedOf(
  ids: readonly string[] | undefined,
  parts: Parts & { readonly at: string; readonly isConfidential: boolean },
): readonly string[] | undefined {
  const { at, isConfidential, resources, report } = parts
  if (ids === undefined) return undefined
  const label = `${at}.introspects`
  if (!isConfidential) {
    report.problem(label, 'needs a client secret or keys. Add client_secret_file or jwks_file.')
  }
  checkResourceIds(ids, { label, resources, report })
  return ids
}
