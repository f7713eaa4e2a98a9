/**
 * The login: a person on the way. This folder owns the interaction, its binding to the browser, consent, login and
 * callback; it does not own the rules of the protocol (`src/oauth/`) or sessions (`src/sessions/`). This file holds the
 * parts that its steps share: their dependencies, and the pages that more than one of them can end in.
 *
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Keyring } from '../crypto.ts'
import { PageError } from '../errors.ts'
import type { ClientAddress } from '../http/client-address.ts'
import { sendErrorPage } from '../http/errors.ts'
import type { PageHost } from '../http/own-pages.ts'
import type { Clients } from '../oauth/clients/clients.ts'
import type { DeviceRequests } from '../oauth/device/requests.ts'
import type { RedirectRules } from '../oauth/redirect-uri.ts'
import type { Relay } from '../oauth/relay/relay.ts'
import type { Brand } from '../pages/brand.ts'
import { LOGIN_PATH, ownPath } from '../paths.ts'
import type { Identification, Identity, Provider, SignInWishes } from '../providers/provider.ts'
import type { ResourceTable } from '../resources/resource-table.ts'
import type { Browsers } from './browser.ts'
import type { Outcome } from './complete.ts'
import { type Interaction, openInteraction, sealInteraction } from './interaction.ts'
import type { PasswordLogin } from './password-login.ts'
import type { Purpose } from './purpose.ts'
import type { SignedIn, SignIns } from './sign-ins.ts'
import type { UserCodeGuesses } from './user-code-guesses.ts'

export interface LoginFlow {
  readonly issuer: string
  /** The path to which a provider sends people back. */
  readonly callbackPath: string
  readonly brand: Pick<Brand, 'askForAccess' | 'loginHelp'>
  /** The host of the issuer: the only one that shows pages (decision K8). */
  readonly host: string
  readonly keyring: Keyring
  readonly clients: Clients
  readonly redirectRules: RedirectRules
  readonly resources: ResourceTable
  readonly browsers: Browsers
  readonly provider: Provider
  readonly passwordLogin: PasswordLogin | undefined
  readonly clientAddress: ClientAddress
  /** The name of a person, as `X-Forwarded-User` has it. */
  readonly userOf: (person: Identity) => string
  readonly signIns: SignIns
  /** Present where clients get the provider's own tokens. */
  readonly relay: Relay | undefined
  /** @param signedIn runs once the person is let in: the sign-in that the grant comes from */
  readonly complete: (
    interaction: Interaction,
    found: Pick<Identification, 'person' | 'tokens' | 'held' | 'token'>,
    signedIn: () => Promise<SignedIn | undefined>,
  ) => Promise<Outcome>
  readonly deviceRequests: DeviceRequests
  /** Slows down guessing of the codes that devices show. */
  readonly userCodeGuesses: UserCodeGuesses
  /** The purpose of an interaction. */
  readonly purposeOf: (interaction: Interaction) => Purpose
  /** True once {@link complete} let the person in. */
  readonly isAnswered: (interaction: Interaction) => Promise<boolean>
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Milliseconds on a clock that is never set back, for spans. */
  readonly elapsed: () => number
}

/** The host of our pages, and whether a protected server lives there as well. */
export const pageHostOf = ({ issuer, resources }: LoginFlow): PageHost => ({
  issuer,
  isShared: resources.isOurHostShared,
})

/**
 * The sealed interaction that came with a request. A page of another site cannot have it (threat T12), so a POST
 * without it is forbidden.
 * @throws PageError if the request has none, or one that we did not seal
 */
export async function receiveInteraction(
  request: FastifyRequest,
  sealed: string | undefined,
  flow: LoginFlow,
): Promise<Interaction> {
  const interaction = await openInteraction(sealed, flow)
  if (interaction) return interaction
  if (sealed === undefined && request.method !== 'POST') throw openedByHand()
  throw new PageError({
    kind: 'retry',
    status: request.method === 'POST' ? 403 : 400,
    title: 'This page is no longer valid',
    text: 'Go back to the program you want to connect and start again from there.',
    details: 'the interaction is missing or was not made by this server',
  })
}

/** For a person who opened an address of a sign-in that no program began (case fp6). */
export function openedByHand(): PageError {
  return new PageError({
    kind: 'retry',
    title: 'This page is opened by your program',
    text: 'It opens by itself when a program wants to connect. Go to that program, such as Claude or your editor, and connect it to your server there.',
  })
}

/** For an interaction that we sealed, but that is too old or came from another browser. */
export async function showStartAgain(
  reply: FastifyReply,
  interaction: Interaction,
  flow: LoginFlow,
): Promise<void> {
  sendErrorPage(reply, 400, {
    kind: 'retry',
    title: 'Start again',
    text: 'This took too long, or it was begun in another window or browser. Nothing was shared.',
    actions: [await flow.purposeOf(interaction).restart()],
  })
}

/**
 * The address where a person identifies themselves; with `prompt`, as somebody else than the provider already knows.
 * @throws ProviderFailure
 */
export async function identifyUrl(
  interaction: Interaction,
  flow: LoginFlow,
  { prompt }: { prompt?: 'login' } = {},
): Promise<string> {
  const state = await sealInteraction(interaction, flow)
  switch (flow.provider.kind) {
    case 'password':
      return `${ownPath(flow.issuer, LOGIN_PATH)}?interaction=${encodeURIComponent(state)}`
    case 'redirect':
      return (
        await flow.provider.authorizationUrl({
          flowId: interaction.id,
          state,
          wishes: prompt === undefined ? wishesOf(interaction) : asSomeoneElse(interaction, prompt),
        })
      ).href
  }
}

/** A name that the person knows the account by. */
export const personName = ({ email, preferredUsername }: Identity): string =>
  email ?? preferredUsername ?? 'this account'

/** The client's wishes about the sign-in. */
export function wishesOf(interaction: Interaction): SignInWishes {
  return (interaction.purpose === 'client' && interaction.wishes) || {}
}

function asSomeoneElse(interaction: Interaction, prompt: 'login'): SignInWishes {
  const { loginHint: _, ...wishes } = wishesOf(interaction)
  return { ...wishes, prompt }
}

const AFTER_SIGN_OUT = 'signed-out.'
const TO_OTHER_ACCOUNT = 'other-account.'

/**
 * Where a person whom the provider remembers signs in as somebody else.
 * @param options `idToken`: of the account to leave; `isLink`: the person may follow the address only later
 * @throws ProviderFailure
 */
export async function otherAccountUrl(
  interaction: Interaction,
  flow: LoginFlow,
  { idToken, isLink = false }: { readonly idToken?: string | undefined; readonly isLink?: boolean },
): Promise<{ readonly href: string; readonly showsSameAccount: boolean }> {
  if (flow.provider.kind === 'password') {
    return { href: await identifyUrl(interaction, flow), showsSameAccount: false }
  }
  const state = await sealInteraction(interaction, flow)
  const signedOutState = AFTER_SIGN_OUT + state
  const { url, showsSameAccount } = await flow.provider.otherAccount({
    flowId: interaction.id,
    state,
    signedOutState,
    ...(isLink && { laterState: TO_OTHER_ACCOUNT + state }),
    idToken,
    wishes: asSomeoneElse(interaction, 'login'),
  })
  return { href: url.href, showsSameAccount }
}

/** The sealed interaction of a person who comes back from a sign-out; undefined for anybody else. */
export const afterSignOut = (state: string | undefined): string | undefined =>
  behind(AFTER_SIGN_OUT, state)

/** The sealed interaction of a person who followed our link to another account; undefined for anybody else. */
export const toOtherAccount = (state: string | undefined): string | undefined =>
  behind(TO_OTHER_ACCOUNT, state)

const behind = (prefix: string, state: string | undefined): string | undefined =>
  state?.startsWith(prefix) ? state.slice(prefix.length) : undefined
