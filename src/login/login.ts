/**
 * `/login`: the built-in login page, for a person who allowed the client in this very browser.
 *
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { sha256 } from '../crypto.ts'
import { sendErrorPage } from '../http/errors.ts'
import { allowOnly } from '../http/methods.ts'
import { PageError } from '../oauth/errors.ts'
import { type Parameters, parseParameters, single } from '../oauth/parameters.ts'
import { type LoginProblem, loginPage } from '../pages/login-page.ts'
import { pageHeaders } from '../pages/styles.ts'
import { type Identity, ProviderBusy } from '../providers/provider.ts'
import { answerUrl, redirectOf, redirectToClient } from './answers.ts'
import { refuseCrossSite } from './browser.ts'
import { destinationName, type Outcome, resourceGone } from './complete.ts'
import {
  identifyUrl,
  LOGIN_PATH,
  type LoginFlow,
  rawQuery,
  receiveInteraction,
  reopen,
  showConsent,
  showStartAgain,
} from './flow.ts'
import { type Interaction, next, sealInteraction } from './interaction.ts'
import type { Attempt, PasswordLogin } from './password-login.ts'
import { createSingleFlight } from './single-flight.ts'

/** Somebody who pressed the button twice gets the first answer. */
const KEEP_ANSWER_MS = 10_000

type Answer = { attempt: Exclude<Attempt, { kind: 'identified' }> } | { outcome: Outcome }

export function loginRoute(app: FastifyInstance, flow: LoginFlow, login: PasswordLogin): void {
  const once = createSingleFlight<Answer>({
    keep: (answer) => 'outcome' in answer && answer.outcome.kind === 'code',
    keepMs: KEEP_ANSWER_MS,
    now: flow.now,
  })

  app.get(LOGIN_PATH, async (request, reply) => {
    const interaction = await receiveInteraction(parseParameters(rawQuery(request)), flow)
    if (await mayIdentify(interaction, request, reply, flow)) {
      await showLogin(reply, interaction, flow, {})
    }
    return reply
  })

  app.post<{ Body: Parameters }>(LOGIN_PATH, async (request, reply) => {
    refuseCrossSite(request, flow.issuer)
    const interaction = await receiveInteraction(request.body, flow)
    if (!(await mayIdentify(interaction, request, reply, flow))) return reply
    const name = single(request.body, 'username') ?? ''
    const password = passwordOf(request.body)
    const key = sha256(JSON.stringify([interaction.id, name, password]))
    try {
      const answer = await once(key, async () => {
        const attempt = await login.attempt({ name, password }, request)
        return attempt.kind === 'identified'
          ? { outcome: await flow.complete(interaction, attempt.person) }
          : { attempt }
      })
      if ('attempt' in answer) {
        await showLogin(reply, interaction, flow, { name, problem: answer.attempt })
      } else {
        await answerOutcome(reply, interaction, flow, answer.outcome, () =>
          login.remember(name, request, reply),
        )
      }
    } catch (error) {
      if (!(error instanceof ProviderBusy)) throw error
      reply.header('retry-after', String(error.retryAfterSeconds))
      const problem = { kind: 'busy', seconds: error.retryAfterSeconds } as const
      await showLogin(reply, interaction, flow, { name, problem })
    }
    return reply
  })
  allowOnly(app, LOGIN_PATH, ['GET', 'POST'])
}

/** True in the browser that approved the interaction; otherwise the person has been shown what to do instead. */
async function mayIdentify(
  interaction: Interaction,
  request: FastifyRequest,
  reply: FastifyReply,
  flow: LoginFlow,
): Promise<boolean> {
  const now = Math.floor(flow.now() / 1000)
  const step = next(interaction, { browser: flow.browsers.find(request), now })
  if (step.kind === 'consent') {
    const browser = flow.browsers.findOrMark(request, reply)
    await showConsent(reply, reopen(interaction, browser, flow), flow)
    return false
  }
  if (step.kind === 'start-again' || !flow.browsers.approved(request, interaction)) {
    await showStartAgain(reply, interaction, flow)
    return false
  }
  return true
}

async function showLogin(
  reply: FastifyReply,
  interaction: Interaction,
  flow: LoginFlow,
  typed: { name?: string; problem?: LoginProblem },
): Promise<void> {
  const resource = flow.resources.byAudience(interaction.resource)
  if (!resource) throw resourceGone()
  const page = loginPage({
    action: LOGIN_PATH,
    interaction: await sealInteraction(interaction, flow.keyring),
    resourceName: resource.name,
    clientName: interaction.clientName,
    ...typed,
  })
  void reply.code(statusOf(typed.problem)).headers(pageHeaders()).send(page)
}

function statusOf(problem: LoginProblem | undefined): number {
  switch (problem?.kind) {
    case undefined:
      return 200
    case 'wrong':
      return 401
    case 'locked':
      return 429
    case 'busy':
      return 503
  }
}

async function answerOutcome(
  reply: FastifyReply,
  interaction: Interaction,
  flow: LoginFlow,
  outcome: Outcome,
  remember: () => Promise<void>,
): Promise<void> {
  const back = (answer: { code: string } | { error: string; error_description: string }) =>
    answerUrl(redirectOf(interaction), flow.issuer, answer)
  switch (outcome.kind) {
    case 'code':
      await remember()
      flow.browsers.forget(reply, interaction)
      redirectToClient(reply, back({ code: outcome.code }))
      return
    case 'already-answered':
      await showStartAgain(reply, interaction, flow)
      return
    case 'refused':
      sendErrorPage(
        reply,
        403,
        {
          kind: 'forbidden',
          title: 'You may not use this server',
          text: `You are signed in as ${personName(outcome.person)}, who is not on the list of people who may use it. Ask whoever runs this server to add you.`,
          actions: [
            { label: 'Sign in as someone else', href: await identifyUrl(interaction, flow) },
            {
              label: `Back to ${destinationName(interaction.redirectUri)}`,
              href: back({
                error: 'access_denied',
                error_description: 'the person may not use this server',
              }),
            },
          ],
        },
        { navigatesAway: true },
      )
  }
}

const personName = (person: Identity) => person.email ?? person.preferredUsername ?? 'this account'

/** A password may hold what no other parameter may; only its repetition is refused. */
function passwordOf(body: Parameters): string {
  const values = body.get('password') ?? []
  if (values.length > 1) {
    throw new PageError({
      kind: 'retry',
      title: 'That could not be read',
      text: 'Go back and type your password again.',
      details: 'password occurs more than once',
    })
  }
  return values[0] ?? ''
}
