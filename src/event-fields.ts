/**
 * The fields of events: one name and one meaning each, whatever the event. No field holds a token, a code, a password, a
 * query, or text that somebody typed.
 *
 * @module
 */

/** The values of fields by name. Times are ISO 8601 in UTC; a key without a value is not in the line. */
export interface EventFields {
  readonly requestId: string
  readonly address: string
  readonly user: string
  readonly userId: string
  readonly groups: readonly string[]
  readonly client: string
  readonly clientId: string
  readonly resource: string
  readonly scopes: readonly string[]
  readonly grant: string
  readonly provider: string
  readonly reason: string
  readonly status: number
  readonly error: string
  readonly method: string
  readonly mcp: string
  readonly ms: number
  readonly credential: 'bearer' | 'cookie'
  readonly expiredSeconds: number
  readonly expiresAt: string
  readonly allowed: string
  readonly asked: string
  readonly nearest: string
  readonly family: string
  readonly peer: string
  readonly host: string
  readonly path: string
  readonly url: string
  readonly forwardedScheme: string
  readonly count: number
  readonly fix: string
  readonly destination: string
  readonly destinations: readonly string[]
  readonly software: string
  readonly grantType: string
  readonly by:
    | 'person'
    | 'client'
    | 'operator'
    | 'reuse'
    | 'stranger'
    | 'configuration'
    | 'provider'
  readonly seconds: number
  readonly askedScopes: readonly string[]
  readonly err: unknown
  readonly cause: string
  readonly task: string
  readonly file: string
  readonly kid: string
  readonly algorithm: string
  readonly signsFrom: string
  readonly users: readonly string[]
  readonly record: string
  readonly label: string
  readonly characters: number
  readonly revokeBefore: string
  readonly version: string
  readonly commit: string
  readonly addresses: readonly string[]
  readonly publicUrl: string
  readonly issuer: string
  readonly redirectUri: string
  readonly store: string
  readonly resources: readonly string[]
  readonly signal: string
  readonly of: string
  readonly from: number
  readonly busiest: string
}

export type FieldName = keyof EventFields

/**
 * The meaning of each field, for docs/logs.md. Lines have their fields in this order: filters of programs that ban
 * addresses rely on the first ones.
 */
export const FIELD_MEANINGS: Readonly<Record<FieldName, string>> = {
  address:
    "the client's address, as the rate limits see it: IPv4 as `192.0.2.1` in every case, IPv6 in its short form",
  reason: 'why, in words',
  requestId: 'the number of the request, which a person sees on an error page',
  grant:
    'a short id of one permission: it joins consent, sign-in, tokens, refreshes, use and revocation',
  user: 'the name of the person, as `X-Forwarded-User` has it; for a failed sign-in: a configured user whose name was typed',
  userId: 'the stable id of the person, as `X-User-Id` has it: `u_` and a hash of the account',
  groups: 'the first fifty groups that the provider stated, in its spelling',
  client: 'the name that the program gave itself',
  clientId: 'a short id of the program, as `X-Forwarded-Client` has it',
  resource: 'the id of the protected server',
  scopes: 'the permissions',
  provider: 'the id of the provider that people sign in at',
  status: 'the HTTP status of the answer',
  error: 'the error code of OAuth in the answer',
  method: 'the HTTP method',
  mcp: 'the MCP method and tool, where the client names them in headers',
  ms: 'how long the answer took, in milliseconds',
  credential: '`bearer` for a token, `cookie` for the session of a browser',
  expiredSeconds: 'how many seconds ago the token or session ended',
  expiresAt: 'when the access token ends',
  allowed: 'the list of people that the server has',
  asked: 'host and path of the request, without its query, at most 200 characters',
  nearest: 'the configured address that is most like it',
  family: 'the kind of proxy that asked',
  peer: 'the address that the connection came from',
  host: 'the host that this is about',
  path: 'the path that this is about',
  url: 'the address in the configuration',
  forwardedScheme: 'the scheme in `X-Forwarded-Proto`',
  count: 'how many',
  fix: 'a line for the configuration that fixes it',
  destination: 'where the answer goes: a host, the scheme of an app, `this computer` or `a device`',
  destinations: 'where answers may go: hosts, schemes of apps, `this computer` or `a device`',
  software: 'the software that the program says it is, and its version',
  grantType: 'the grant type that the program used',
  by: 'the party that ended it: the `person`, the `client`, the `operator`, a `reuse` that was found, a `stranger` who brought it, the `configuration`, or the `provider`, asked again at a refresh',
  seconds: 'a span in seconds',
  askedScopes: 'the permissions that the program asked for',
  err: 'the error, with its stack',
  cause: 'the cause, in words',
  task: 'what was to be done',
  file: 'the path of a file',
  kid: 'the id of the signing key',
  algorithm: 'the algorithm of the signing key',
  signsFrom: 'when the key begins to sign',
  users: 'names of configured users',
  record: 'the key of a stored record',
  label: 'the kind of sealed value',
  characters: 'a length',
  revokeBefore: 'the time before which sign-ins are ended',
  version: 'the version of Gatewarden',
  commit: 'the commit that it was built from',
  addresses: 'where it listens',
  publicUrl: 'the address that people and programs use',
  issuer: 'the address of the provider',
  redirectUri: 'the redirect URI to register at the provider',
  store: '`lmdb` or `redis`',
  resources: 'the protected servers: id and address',
  signal: 'the signal that stopped it',
  of: 'the event whose lines were left out',
  from: 'how many client addresses they came from',
  busiest: 'the client address that most of them came from',
}

/** The fields in the order of lines. */
export const FIELD_ORDER = Object.keys(FIELD_MEANINGS) as readonly FieldName[]
