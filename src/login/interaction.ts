/**
 * The state of one sign-in on its way: for a client or a device, through consent and login; for a page in this browser,
 * through login alone. It travels sealed, in forms and as the provider's `state`, so that a stranger cannot make us store
 * anything (decisions K3, K5).
 *
 * @module
 */
import { z } from 'zod'
import type { Keyring } from '../crypto.ts'
import { OAuthError } from '../errors.ts'
import type { ResourceTable } from '../resources/resource-table.ts'
import { fromPlaces, toPlaces } from './scope-places.ts'

/** Seconds that a person may take: the lifetime of Keycloak's login page. */
export const INTERACTION_LIFETIME = 30 * 60
/** Keycloak silently drops a `state` over 4,000 characters. */
const MAX_SEALED_LENGTH = 3800

const common = {
  id: z.string(),
  provider: z.string(),
  /** Seconds since the epoch. */
  expiresAt: z.number(),
}

/** The parts of a request that a person is asked about, whichever way the client asked. */
const asked = {
  /**
   * `requested` until the person allowed it, in this browser; then `consented`. There is no stage for "identified":
   * that step answers the interaction.
   */
  stage: z.enum(['requested', 'consented']),
  clientHash: z.string(),
  clientName: z.string(),
  clientConfigured: z.boolean(),
  /** The host of the client's metadata document, if it has one. */
  documentHost: z.string().exactOptional(),
  /** The resource's audience. */
  resource: z.string(),
  scopes: z.array(z.string()),
  /** SHA-256 of the cookie of the browser that it belongs to (decision K6). */
  browser: z.string(),
  /** The `sub` of the person whom the consent page names: an answer to that page is theirs alone (decision K35). */
  person: z.string().exactOptional(),
  /** True once the person said that they are somebody else than this browser knows. */
  someoneElse: z.boolean().exactOptional(),
  /** True once the consent page said that the server gets the person's own token of the provider (threat T8). */
  tellsOfToken: z.boolean().exactOptional(),
}

/** The authorization request of a client. */
const ClientInteraction = z.object({
  ...common,
  ...asked,
  purpose: z.literal('client'),
  redirectUri: z.string(),
  state: z.string().optional(),
  codeChallenge: z.string(),
  /** The client's wishes about the sign-in, for the provider. */
  wishes: z
    .object({
      prompt: z.string().exactOptional(),
      loginHint: z.string().exactOptional(),
      maxAge: z.number().exactOptional(),
      acrValues: z.string().exactOptional(),
      uiLocales: z.string().exactOptional(),
      display: z.string().exactOptional(),
    })
    .exactOptional(),
})

/** The request of a device, whose code a person typed in this browser (RFC 8628). It ends when the code does. */
const DeviceInteraction = z.object({
  ...common,
  ...asked,
  purpose: z.literal('device'),
  /** The code in its one form. */
  userCode: z.string(),
  /** The id of the request: the code may name another one later. */
  deviceId: z.string(),
})

/**
 * A sign-in for a page. No client gets anything, so the person is not asked for consent; the cookie of its flow, set
 * when it begins, binds it to the browser. At its end, `returnTo` decides which resource and cookie it is for.
 */
const SessionInteraction = z.object({
  ...common,
  purpose: z.literal('session'),
  /** Absolute URL of the page. */
  returnTo: z.string(),
  /** SHA-256 of a cookie on the page's own host, where that host has to set the session's cookie (decision K24). */
  nonceHash: z.string().optional(),
  /** The name under which the browser kept the fragment of the page; absent where it kept none. */
  fragment: z.string().exactOptional(),
})

const Interaction = z.discriminatedUnion('purpose', [
  ClientInteraction,
  DeviceInteraction,
  SessionInteraction,
])

export type ClientInteraction = Readonly<z.infer<typeof ClientInteraction>>
export type DeviceInteraction = Readonly<z.infer<typeof DeviceInteraction>>
/** A request that a person is asked about. */
export type AskedInteraction = ClientInteraction | DeviceInteraction
export type SessionInteraction = Readonly<z.infer<typeof SessionInteraction>>
export type Interaction = AskedInteraction | SessionInteraction

/**
 * The places of an interaction's members in its sealed list; absent ones are null. Without names it is half as long, which
 * leaves room for the client's `state`.
 */
const MEMBERS = [
  'purpose',
  'id',
  'provider',
  'expiresAt',
  'stage',
  'clientHash',
  'clientName',
  'clientConfigured',
  'redirectUri',
  'state',
  'codeChallenge',
  'resource',
  'scopes',
  'browser',
  'returnTo',
  'nonceHash',
  'wishes',
  'person',
  'someoneElse',
  'documentHost',
  'fragment',
  'userCode',
  'deviceId',
  'tellsOfToken',
] as const satisfies readonly (
  | keyof ClientInteraction
  | keyof DeviceInteraction
  | keyof SessionInteraction
)[]

/** The services that sealing needs. */
export interface Sealing {
  readonly keyring: Keyring
  readonly resources: Pick<ResourceTable, 'byAudience'>
}

/** @throws OAuthError `invalid_request` if the result is too long, which only a client's long `state` can cause */
export async function sealInteraction(
  interaction: Interaction,
  { keyring, resources }: Sealing,
): Promise<string> {
  const list = listOf(interaction)
  const sealed = keyring.seal('interaction', list)
  if (sealed.length <= MAX_SEALED_LENGTH) return sealed
  const shorter = keyring.seal('interaction', withPlaces(list, interaction, resources))
  if (shorter.length <= MAX_SEALED_LENGTH) return shorter
  throw new OAuthError('invalid_request', 'state is too long: it must fit into 2,000 characters')
}

/** The interaction sealed in `value`, expired or not, or undefined if we never sealed it. */
export async function openInteraction(
  value: string | undefined,
  { keyring, resources }: Sealing,
): Promise<Interaction | undefined> {
  if (value === undefined || value.length > MAX_SEALED_LENGTH) return undefined
  const members = membersOf(keyring.open('interaction', value))
  const opened = Interaction.safeParse(members && withNames(members, resources))
  return opened.success ? opened.data : undefined
}

/** The same list with the scopes as places, where the resource offers them all. */
function withPlaces(
  list: readonly unknown[],
  interaction: Interaction,
  resources: Sealing['resources'],
): readonly unknown[] {
  if (interaction.purpose === 'session') return list
  const offered = resources.byAudience(interaction.resource)?.scopes
  const places = offered && toPlaces(interaction.scopes, offered)
  return places ? list.with(MEMBERS.indexOf('scopes'), places) : list
}

const Places = z.tuple([z.string(), z.instanceof(Uint8Array)])

/** The same members with the names of scopes that were sealed as places. */
function withNames(
  members: Readonly<Record<string, unknown>>,
  resources: Sealing['resources'],
): Readonly<Record<string, unknown>> {
  const places = Places.safeParse(members.scopes)
  if (!places.success || typeof members.resource !== 'string') return members
  const offered = resources.byAudience(members.resource)?.scopes
  // Without the resource the sign-in ends on a page that says so; no scope is granted.
  return { ...members, scopes: offered ? fromPlaces(places.data, offered) : [] }
}

function listOf(interaction: Interaction): unknown[] {
  const members: Readonly<Record<string, unknown>> = interaction
  const list: unknown[] = MEMBERS.map((name) => members[name] ?? null)
  while (list.at(-1) === null) list.pop()
  return list
}

function membersOf(list: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!Array.isArray(list)) return undefined
  const pairs = MEMBERS.map((name, place) => [name, list[place]] as const)
  return Object.fromEntries(pairs.filter(([, value]) => value !== null && value !== undefined))
}

/** The next step of an interaction. Steps never call each other; each asks {@link next}. */
export type Step =
  | { readonly kind: 'start-again' }
  | { readonly kind: 'consent'; readonly interaction: AskedInteraction }
  | { readonly kind: 'identify' }

/**
 * @param browser SHA-256 of the browser cookie of the request
 * @param now seconds since the epoch
 */
export function next(
  interaction: Interaction,
  { browser, now }: { browser: string | undefined; now: number },
): Step {
  if (now >= interaction.expiresAt) return { kind: 'start-again' }
  if (interaction.purpose === 'session') return { kind: 'identify' }
  if (interaction.stage === 'requested') return { kind: 'consent', interaction }
  return interaction.browser === browser ? { kind: 'identify' } : { kind: 'start-again' }
}
