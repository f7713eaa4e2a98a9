/**
 * The answers to a person and their client when the provider did not identify the person. Nothing was stored, so
 * trying again is always safe.
 *
 * @module
 */
import type { FastifyReply } from 'fastify'
import type { OAuthErrorCode } from '../errors.ts'
import { sendErrorPage } from '../http/errors.ts'
import type { ErrorKind } from '../pages/error-page.ts'
import { ProviderFailure, type ProviderFailureKind } from '../providers/provider.ts'
import type { LoginFlow } from './flow.ts'
import type { Interaction } from './interaction.ts'
import { sendOn } from './responses.ts'
import { reportProviderFailure } from './sign-in-events.ts'

const RETRY_SECONDS = 5

interface FailureText {
  readonly status: number
  readonly kind: ErrorKind
  readonly title: string
  readonly text: string
  /** For the client, in the characters of RFC 6749 section 4.1.2.1. */
  readonly error: OAuthErrorCode
  readonly description: string
}

/** @param name the name of the provider, as people know it */
const FAILURE_TEXTS: Readonly<Record<ProviderFailureKind, (name: string) => FailureText>> = {
  denied: (name) => ({
    status: 403,
    kind: 'retry',
    title: 'You did not sign in',
    text: `${name} says that the sign-in was cancelled or refused. Nothing was shared.`,
    error: 'access_denied',
    description: 'the sign-in was cancelled or refused',
  }),
  unavailable: (name) => ({
    status: 503,
    kind: 'retry',
    title: 'The sign-in service does not answer',
    text: `${name}, which knows who you are, does not answer at this moment. Nothing is lost. Wait a few seconds, then try again.`,
    error: 'temporarily_unavailable',
    description: 'the sign-in service does not answer',
  }),
  'too-many-groups': (name) => ({
    status: 403,
    kind: 'forbidden',
    title: 'Your account is in too many groups',
    text: `${name} lists more groups for your account than this server can take. Ask whoever runs this server to send fewer of them.`,
    error: 'access_denied',
    description: 'the account is in too many groups',
  }),
  'other-organisation': (name) => ({
    status: 403,
    kind: 'forbidden',
    title: 'Sign in with your work account',
    text: `Only accounts of certain organisations may use this server, and the ${name} account you chose belongs to none of them. Try again and choose another account, or ask whoever runs this server.`,
    error: 'access_denied',
    description: 'the account belongs to no organisation that may sign in',
  }),
  gone: (name) => ({
    status: 403,
    kind: 'forbidden',
    title: 'Your account cannot be used',
    text: `${name} says that your account is suspended or no longer exists. Use another account, or ask whoever manages the accounts of your organisation.`,
    error: 'access_denied',
    description: 'the account is suspended or no longer exists',
  }),
  failed: (name) => ({
    status: 502,
    kind: 'broken',
    title: 'Signing in did not work',
    text: `The answer of ${name} could not be used. Nothing was shared. If trying again does not help, tell whoever runs this server the request number below.`,
    error: 'server_error',
    description: 'the answer of the sign-in service could not be used',
  }),
}

/** Runs a step that leads to the provider. Its failure is answered as such. */
export async function orAnswerFailure(
  reply: FastifyReply,
  interaction: Interaction,
  flow: LoginFlow,
  run: () => Promise<void>,
): Promise<void> {
  try {
    await run()
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error
    await answerProviderFailure(error, reply, interaction, flow)
  }
}

/** Reports the reason, then answers the client if its redirect is trusted, else the person (decision K10). */
export async function answerProviderFailure(
  failure: ProviderFailure,
  reply: FastifyReply,
  interaction: Interaction,
  flow: LoginFlow,
): Promise<void> {
  const { request } = reply
  const texts = FAILURE_TEXTS[failure.kind](flow.provider.name)
  reportProviderFailure(request, interaction, flow, failure)
  const purpose = flow.purposeOf(interaction)
  const back = purpose.wayBack?.({
    error: texts.error,
    error_description: `${texts.description}, request ${request.id}`,
  })
  if (back?.trusted) {
    sendOn(reply, back.location)
    return
  }
  if (texts.status === 503) reply.header('retry-after', String(RETRY_SECONDS))
  sendErrorPage(reply, texts.status, {
    kind: texts.kind,
    title: texts.title,
    text: texts.text,
    actions: [
      await purpose.retry(),
      ...(back ? [{ label: back.label, href: back.location }] : []),
      ...(purpose.giveUp ? [await purpose.giveUp()] : []),
    ],
  })
}
