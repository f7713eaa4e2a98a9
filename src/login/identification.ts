/**
 * The part of the login that every provider shares: which browser may identify a person, and the answer once that is
 * done (decision K9).
 *
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { sendErrorPage } from '../http/errors.ts'
import { askAgain } from './ask-consent.ts'
import type { Outcome } from './complete.ts'
import { type LoginFlow, otherAccountUrl, personName, showStartAgain } from './flow.ts'
import { type Interaction, next } from './interaction.ts'
import { orAnswerFailure } from './provider-failure.ts'
import { restoreFragment, sendOn, sendOnToPage } from './responses.ts'
import { reportRefusedPerson, reportSignIn } from './sign-in-events.ts'

/**
 * True in the browser that approved the interaction, for the provider it was approved with (threats T2, T4).
 * Otherwise false, and the reply shows the person what to do instead.
 */
export async function mayIdentify(
  interaction: Interaction,
  request: FastifyRequest,
  reply: FastifyReply,
  flow: LoginFlow,
): Promise<boolean> {
  const now = Math.floor(flow.now() / 1000)
  const step = next(interaction, { browser: flow.browsers.find(request), now })
  if (step.kind === 'consent') {
    await askAgain(step.interaction, reply, flow)
    return false
  }
  if (
    step.kind === 'start-again' ||
    interaction.provider !== flow.provider.id ||
    !flow.browsers.approved(request, interaction)
  ) {
    await showStartAgain(reply, interaction, flow)
    return false
  }
  return true
}

/** Answers a person who was identified: sends them on, or shows a page that says why not. */
export async function answerOutcome(
  outcome: Outcome,
  reply: FastifyReply,
  interaction: Interaction,
  flow: LoginFlow,
): Promise<void> {
  switch (outcome.kind) {
    case 'done':
      reportSignIn(reply.request, interaction, flow, outcome)
      flow.browsers.forget(reply, interaction)
      outcome.setCookie?.(reply)
      await outcome.arrival.setCookies?.(reply)
      sendOnward(reply, outcome.arrival.location, interaction)
      return
    case 'already-answered':
      await showStartAgain(reply, interaction, flow)
      return
    case 'refused':
      await orAnswerFailure(reply, interaction, flow, () =>
        showRefused(outcome, reply, interaction, flow),
      )
  }
}

function sendOnward(reply: FastifyReply, to: string, interaction: Interaction): void {
  if (interaction.purpose !== 'session') sendOn(reply, to, { allowed: true })
  else if (interaction.fragment === undefined) sendOnToPage(reply, to)
  else restoreFragment(reply, { to, key: interaction.fragment })
}

async function showRefused(
  refused: Extract<Outcome, { kind: 'refused' }>,
  reply: FastifyReply,
  interaction: Interaction,
  flow: LoginFlow,
): Promise<void> {
  const { person, idToken } = refused
  const noEmail = person.email === undefined
  reportRefusedPerson(reply.request, interaction, flow, refused)
  const who = personName(person)
  const purpose = flow.purposeOf(interaction)
  const { name, origin } = purpose.resource()
  const back = purpose.wayBack?.({
    error: 'access_denied',
    error_description: 'the person may not use this server',
  })
  const giveUp = await purpose.giveUp?.()
  const other = await otherAccountUrl(interaction, flow, { idToken, isLink: true })
  const question = { resourceName: name, person: who, requestId: reply.request.id }
  const ask = flow.brand.askForAccess(question)
  sendErrorPage(
    reply,
    403,
    {
      kind: 'forbidden',
      title: `You may not use ${name}`,
      text: `You are signed in as ${who}${noEmail ? ', without a verified e-mail address' : ''}. This account is not on the list of people who may use this server. Ask whoever runs ${new URL(origin).host} to add it, or use an account that is.${other.showsSameAccount ? sameAccountAdvice(flow.provider.name) : ''}`,
      actions: [
        ...(ask ? [ask] : []),
        {
          label: 'Sign in as someone else',
          href: other.href,
          isSecondary: true,
          // A provider elsewhere gets no fragment, and a client none that it did not ask for.
          carriesFragment: interaction.purpose === 'session' && flow.provider.kind === 'password',
        },
        ...(back ? [{ label: back.label, href: back.location, isSecondary: true }] : []),
        ...(giveUp ? [giveUp] : []),
      ],
    },
    { navigatesAway: true },
  )
}

const sameAccountAdvice = (provider: string) =>
  ` To sign in as someone else: ${provider} may name this account again and ask only for its password. Look there for a link or an arrow that leads to another account, or sign out there first.`
