/**
 * The events of the program: everything that an operator may want to know of, under names that never change. A service
 * emits an event where it happens; subscribers, such as the log, make of it what they need. docs/logs.md is made from
 * {@link EVENTS}.
 *
 * @module
 */
import type { EventFields, FieldName } from './event-fields.ts'

export type EventLevel = 'debug' | 'info' | 'warn' | 'error'

/** A kind of event. */
export interface EventDefinition {
  readonly level: EventLevel
  /** The line for a person who reads the log; for a warning: also what to do. */
  readonly says: string
  /** The fields that each event of the kind has. */
  readonly always: readonly FieldName[]
  /** The fields that an event has where they are known. */
  readonly sometimes: readonly FieldName[]
  /**
   * Anybody can cause such events: subscribers that keep every event bound them. `address`: the first ones of each
   * client address count. `stray`: fewer of them, because scanners cause many. `warning`: one in a minute says it all.
   */
  readonly bound?: 'address' | 'stray' | 'warning'
  /** The log has this line at every level but `silent`. */
  readonly unmissable?: true
}

const REQUEST = ['requestId', 'address'] as const
const PERSON = ['user', 'userId'] as const
const CLIENT = ['client', 'clientId'] as const

/** Every event, by name. */
export const EVENTS = {
  // Checks
  decision: {
    level: 'debug',
    says: 'decision',
    always: ['requestId', 'status', 'method', 'ms'],
    sometimes: ['address', 'reason', 'grant', ...PERSON, ...CLIENT, 'resource', 'mcp'],
  },
  'resource-used': {
    level: 'info',
    says: 'a server is used',
    always: ['requestId', ...PERSON, 'resource', 'credential'],
    sometimes: ['address', 'grant', ...CLIENT, 'scopes', 'method', 'mcp'],
  },
  'token-refused': {
    level: 'info',
    says: 'token refused',
    always: ['requestId', 'reason', 'resource', 'status'],
    sometimes: [
      'address',
      'grant',
      ...PERSON,
      ...CLIENT,
      'scopes',
      'credential',
      'expiredSeconds',
      'method',
      'mcp',
    ],
    bound: 'address',
  },
  'person-refused': {
    level: 'info',
    says: 'person refused',
    always: ['requestId', 'reason', ...PERSON, 'groups', 'allowed'],
    sometimes: ['address', 'grant', ...CLIENT, 'resource', 'provider', 'status'],
    bound: 'address',
  },
  'address-unknown': {
    level: 'info',
    says: 'no protected server is configured at this address',
    always: ['requestId', 'asked', 'family', 'status'],
    sometimes: ['address', 'reason', 'nearest', 'method'],
    bound: 'stray',
  },
  'request-refused': {
    level: 'info',
    says: 'request refused',
    always: ['requestId', 'reason'],
    sometimes: ['address', 'status', 'error', 'method', 'resource', ...CLIENT, ...PERSON, 'grant'],
    bound: 'address',
  },
  'peer-untrusted': {
    level: 'warn',
    says: 'refused a forward-auth request from an untrusted peer: add its address to TRUSTED_PROXIES if it is your proxy',
    always: ['requestId', 'peer', 'fix'],
    sometimes: ['family'],
    bound: 'warning',
  },
  'asked-directly': {
    level: 'info',
    says: 'a check without any forwarded header, from this machine: it is judged as a request to the only server',
    always: [],
    sometimes: [],
    bound: 'warning',
  },
  'proxy-unlisted': {
    level: 'warn',
    says: 'an address in a network of TRUSTED_PROXIES forwards for others: its clients are limited together; list the address by itself if it is a proxy',
    always: ['address'],
    sometimes: [],
    bound: 'warning',
  },
  'login-route-missing': {
    level: 'warn',
    says: 'no browser can sign in: route this path of this host to Gatewarden, without the login in front',
    always: ['host', 'path'],
    sometimes: ['requestId'],
    bound: 'warning',
  },
  'discovery-route-missing': {
    level: 'warn',
    says: 'clients were asked to sign in, and none came for the document that says how: route this path of this host to Gatewarden, without the login in front',
    always: ['host', 'path', 'resource', 'count'],
    sometimes: ['requestId', 'family'],
    bound: 'warning',
  },
  'scheme-mismatch': {
    level: 'warn',
    says: 'the proxy names another scheme than the address in the configuration: make both the same, or let the proxy in front pass X-Forwarded-Proto on',
    always: ['resource', 'url', 'forwardedScheme'],
    sometimes: ['requestId', 'family'],
    bound: 'warning',
  },
  // Failures
  'request-failed': {
    level: 'error',
    says: 'unexpected error',
    always: ['requestId', 'err'],
    sometimes: ['address', 'status', 'resource'],
    bound: 'address',
  },
  unavailable: {
    level: 'error',
    says: 'a request could not be answered',
    always: ['requestId', 'reason'],
    sometimes: ['address', 'status', 'resource', 'method'],
    bound: 'address',
  },
  'upstream-failed': {
    level: 'error',
    says: 'the upstream did not answer',
    always: ['requestId', 'cause'],
    sometimes: ['address', 'resource'],
    bound: 'address',
  },
  'upstream-loops': {
    level: 'error',
    says: 'the upstream of this server leads back to Gatewarden: write the address of the MCP server itself into upstream',
    always: ['requestId', 'resource', 'asked'],
    sometimes: ['address'],
    bound: 'warning',
  },
  'upstream-refused-us': {
    level: 'warn',
    says: 'the server behind refused the credential that we have for it: check upstream_authorization',
    always: ['requestId', 'resource'],
    sometimes: ['address'],
    bound: 'warning',
  },
  'person-token-left-out': {
    level: 'warn',
    says: 'the server behind got no token of the provider for a person (upstream_provider_token)',
    always: ['requestId', 'resource', 'reason', 'userId'],
    sometimes: ['address', 'grant'],
    bound: 'warning',
  },
  'tool-refused': {
    level: 'info',
    says: 'a call of a tool was refused: the person did not allow it',
    always: ['requestId', 'userId', 'resource'],
    sometimes: ['address', 'mcp'],
    bound: 'address',
  },
  'too-many-open': {
    level: 'warn',
    says: 'a caller has too many requests or streams open: see MCP_PER_SUBJECT_CONCURRENCY and MCP_PER_SUBJECT_STREAMS',
    always: ['requestId', 'userId', 'resource'],
    sometimes: ['address'],
    bound: 'warning',
  },
  // Clients and people
  'client-registered': {
    level: 'info',
    says: 'client registered',
    always: ['requestId', ...CLIENT, 'destinations'],
    sometimes: ['address', 'software'],
    bound: 'address',
  },
  'client-deleted': {
    level: 'info',
    says: 'client deleted itself, and its permissions ended',
    always: ['requestId', ...CLIENT, 'count'],
    sometimes: ['address'],
    bound: 'address',
  },
  'client-document-unread': {
    level: 'warn',
    says: 'a document of a client could not be read',
    always: ['reason', 'url'],
    sometimes: ['address'],
    bound: 'address',
  },
  'server-scopes-read': {
    level: 'info',
    says: 'a server says its scopes anew; count is the number of those that were left out: no scope by RFC 6749 section 3.3, named twice, or too many',
    always: ['resource', 'scopes', 'count'],
    sometimes: [],
  },
  'server-scopes-unread': {
    level: 'info',
    says: 'a server does not say its scopes: those of its last answer count, or else those of the configuration',
    always: ['resource', 'url', 'reason'],
    sometimes: [],
  },
  'scopes-unknown': {
    level: 'info',
    says: 'the client asked only for scopes that this server does not have',
    always: ['requestId', ...CLIENT, 'askedScopes', 'scopes'],
    sometimes: ['address', 'resource'],
    bound: 'address',
  },
  'consent-given': {
    level: 'info',
    says: 'consent given',
    always: ['requestId', 'grant', ...CLIENT, 'scopes', 'destination', 'by'],
    sometimes: ['address', ...PERSON, 'resource'],
    bound: 'address',
  },
  'consent-denied': {
    level: 'info',
    says: 'consent denied',
    always: ['requestId', 'grant', ...CLIENT, 'scopes', 'destination'],
    sometimes: ['address', ...PERSON, 'resource'],
    bound: 'address',
  },
  'signed-in': {
    level: 'info',
    says: 'signed in',
    always: ['requestId', 'grant', ...PERSON, 'scopes', 'provider'],
    sometimes: ['address', ...CLIENT, 'resource', 'destination'],
  },
  'let-in': {
    level: 'info',
    says: 'let in by an earlier sign-in',
    always: ['requestId', 'grant', ...PERSON, 'scopes', 'provider'],
    sometimes: ['address', ...CLIENT, 'resource', 'destination'],
  },
  'sign-in-failed': {
    level: 'info',
    says: 'sign-in failed',
    always: ['requestId', 'reason'],
    sometimes: ['address', 'grant', 'user', ...CLIENT, 'resource', 'provider', 'seconds', 'host'],
    bound: 'address',
  },
  'provider-failed': {
    level: 'warn',
    says: 'the provider failed',
    always: ['reason', 'provider'],
    sometimes: [...REQUEST, 'grant', ...CLIENT, 'resource'],
    bound: 'address',
  },
  'provider-odd': {
    level: 'warn',
    says: 'an answer of the provider is a little off',
    always: ['reason', 'provider'],
    sometimes: [],
    bound: 'warning',
  },
  'tokens-unjudged': {
    level: 'warn',
    says: 'tokens of the provider cannot be judged',
    always: ['reason', 'provider'],
    sometimes: [],
    bound: 'warning',
  },
  'relay-refused': {
    level: 'warn',
    says: 'a client gets no token of the provider, because this server would refuse it: docs/provider-tokens.md says what it needs',
    always: ['reason', 'provider', 'grant'],
    sometimes: ['userId', ...CLIENT, 'resource'],
    bound: 'warning',
  },
  'return-shortened': {
    level: 'info',
    says: 'an address was too long to return to after the login: the person returns to it without its query, or to the first page',
    always: ['host'],
    sometimes: ['requestId'],
    bound: 'warning',
  },
  'sign-in-circle': {
    level: 'warn',
    says: 'a browser signs in again and again',
    always: ['requestId', 'host', 'reason'],
    sometimes: ['address'],
    bound: 'warning',
  },
  'cookie-too-long': {
    level: 'error',
    says: 'the session cookie is longer than browsers keep: give the servers of this domain fewer default scopes',
    always: ['host', 'characters'],
    sometimes: ['requestId', 'address'],
    bound: 'warning',
  },
  'session-handed-over': {
    level: 'info',
    says: 'a command line may get the session of a browser',
    always: ['requestId', ...PERSON],
    sometimes: ['address', 'grant', 'resource'],
  },
  'signed-out': {
    level: 'info',
    says: 'signed out',
    always: ['requestId', 'userId', 'by'],
    sometimes: ['address', 'grant', 'user', 'resource', 'host'],
  },
  // Tokens
  'token-issued': {
    level: 'info',
    says: 'token issued',
    always: ['requestId', 'grant', 'userId', ...CLIENT, 'scopes', 'grantType', 'expiresAt'],
    sometimes: ['address', 'user', 'resource'],
  },
  'code-reused': {
    level: 'warn',
    says: 'an authorization code came twice, so what it had given was ended',
    always: ['requestId', 'grant', ...CLIENT],
    sometimes: ['address', 'resource'],
    bound: 'address',
  },
  'refresh-reused': {
    level: 'warn',
    says: 'a refresh token that was replaced came again, so its permission was ended: a program kept an old one, or somebody has a copy',
    always: ['requestId', 'grant', 'userId', ...CLIENT],
    sometimes: ['address', 'resource'],
    bound: 'address',
  },
  'grant-revoked': {
    level: 'info',
    says: 'permission ended',
    always: ['grant', 'by', 'reason'],
    sometimes: [...REQUEST, ...PERSON, ...CLIENT, 'resource'],
  },
  // The program
  'secret-made': {
    level: 'info',
    says: 'made a root secret: back it up, nothing sealed can be opened without it',
    always: ['file'],
    sometimes: [],
  },
  'password-made': {
    level: 'warn',
    says: 'made a password: read it in this file, then remove the file; only its hash is kept',
    always: ['user', 'file'],
    sometimes: [],
  },
  'password-file-left': {
    level: 'warn',
    says: 'the file with a password is still there: remove it',
    always: ['user', 'file'],
    sometimes: [],
  },
  'secret-worn': {
    level: 'warn',
    says: 'very many values were sealed under one secret: plan to change SECRET',
    always: ['label'],
    sometimes: [],
  },
  'key-made': {
    level: 'info',
    says: 'signing key made',
    always: ['kid', 'algorithm', 'signsFrom', 'publishedUntil'],
    sometimes: [],
  },
  'key-signs': {
    level: 'info',
    says: 'another signing key signs from now on',
    always: ['kid', 'algorithm', 'earlierKid'],
    sometimes: ['publishedUntil'],
  },
  'key-dropped': {
    level: 'info',
    says: 'signing key dropped: tokens that it signed end',
    always: ['kid', 'algorithm'],
    sometimes: [],
  },
  'key-sealed-anew': {
    level: 'info',
    says: 'signing key sealed under the new SECRET',
    always: ['kid', 'algorithm', 'publishedUntil'],
    sometimes: [],
  },
  listening: {
    level: 'info',
    says: 'listening',
    always: ['version', 'addresses', 'publicUrl', 'provider', 'store', 'resources'],
    sometimes: ['commit', 'issuer', 'redirectUri'],
    unmissable: true,
  },
  stopping: { level: 'info', says: 'stopping', always: [], sometimes: ['signal'] },
  stopped: { level: 'info', says: 'stopped', always: [], sometimes: [] },
  crashed: { level: 'error', says: 'stopping after an error', always: ['err'], sometimes: [] },
  'store-lost': {
    level: 'error',
    says: 'the store does not answer',
    always: ['cause'],
    sometimes: [],
    bound: 'warning',
  },
  'store-back': {
    level: 'info',
    says: 'the store answers again',
    always: ['seconds'],
    sometimes: [],
    bound: 'warning',
  },
  'store-unfit': {
    level: 'warn',
    says: 'the store is not set up as it should be',
    always: ['reason'],
    sometimes: ['seconds'],
  },
  'store-bridged': {
    level: 'warn',
    says: 'the store does not answer: known tokens stay accepted for MAX_STALE, also if their grant is revoked at another replica meanwhile',
    always: ['seconds'],
    sometimes: [],
  },
  'announcements-lost': {
    level: 'warn',
    says: 'announcements from Redis no longer arrive',
    always: [],
    sometimes: ['cause'],
    bound: 'warning',
  },
  'announcements-back': {
    level: 'info',
    says: 'announcements from Redis arrive again',
    always: [],
    sometimes: [],
    bound: 'warning',
  },
  'record-forged': {
    level: 'warn',
    says: 'a stored record carries no MAC of ours, so it counts as absent: another program wrote it, or SECRET was changed. Find out who can write to the store.',
    always: ['record'],
    sometimes: [],
    bound: 'warning',
  },
  'revoke-before-kept': {
    level: 'warn',
    says: 'REVOKE_BEFORE is missing or earlier than before: the stored one still holds, and older sign-ins stay ended',
    always: ['revokeBefore'],
    sometimes: [],
  },
  'hashes-uneven': {
    level: 'warn',
    says: 'the password hashes of these users cost less than others, so the time of an answer can tell that such a name exists: make new ones with gatewarden hash-password',
    always: ['users'],
    sometimes: [],
  },
  'task-failed': {
    level: 'warn',
    says: 'something that is done now and then failed; it is done again later',
    always: ['task', 'err'],
    sometimes: [],
    bound: 'warning',
  },
  'session-use-unnoted': {
    level: 'debug',
    says: 'could not note that a session is in use',
    always: ['err'],
    sometimes: [],
  },
  // The log itself
  'lines-left-out': {
    level: 'info',
    says: 'lines were left out, because there were too many of them in a minute',
    always: ['of', 'count', 'from'],
    sometimes: ['busiest'],
  },
  'lines-lost': {
    level: 'warn',
    says: 'lines of the log were lost: standard output did not take them',
    always: ['count'],
    sometimes: [],
  },
} as const satisfies Readonly<Record<string, EventDefinition>>

export type EventName = keyof typeof EVENTS

type Definitions = typeof EVENTS

/** An event of one kind. */
export type EventOf<Name extends EventName> = Name extends EventName
  ? { readonly event: Name } & {
      readonly [Field in Definitions[Name]['always'][number]]: EventFields[Field]
    } & {
      readonly [Field in Definitions[Name]['sometimes'][number]]?: EventFields[Field] | undefined
    }
  : never

export type GatewayEvent = EventOf<EventName>

/** An event without the fields that a request fills in. */
export type RequestEvent = WithoutRequest<EventName>
type WithoutRequest<Name extends EventName> = Name extends EventName
  ? Omit<EventOf<Name>, 'requestId' | 'address'>
  : never

/** Emits an event of one request, whose number and client address are added. */
export type Report = (event: RequestEvent) => void

/** The sink that services emit into. */
export interface Events {
  emit(event: GatewayEvent): void
  /** False if no subscriber takes events of this kind, so that a busy path need not build one. */
  wants(name: EventName): boolean
}

export interface Subscriber {
  /** Called for each event that it wants. An error becomes a warning of the process, and the emitter goes on. */
  take(event: GatewayEvent): void
  wants(name: EventName): boolean
}

/** A sink that hands each event to every subscriber that wants it, at once and in order. */
export function createEvents(subscribers: readonly Subscriber[]): Events {
  return {
    emit(event) {
      for (const subscriber of subscribers) {
        if (!subscriber.wants(event.event)) continue
        try {
          subscriber.take(event)
        } catch (error) {
          // A request must not fail because its event could not be written down.
          process.emitWarning(error instanceof Error ? error : String(error))
        }
      }
    },
    wants: (name) => subscribers.some((subscriber) => subscriber.wants(name)),
  }
}

/** For commands that tell their user what happens by themselves. */
export const NO_EVENTS: Events = createEvents([])
