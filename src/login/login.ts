/**
 * `/authorize/login`, and `/login`: the built-in login page, for a person who began or allowed the interaction in this
 * same browser.
 *
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { sha256 } from '../crypto.ts'
import { PageError } from '../errors.ts'
import { refuseCrossSite } from '../http/cross-site.ts'
import { onHost } from '../http/host-constraint.ts'
import { allowOnly } from '../http/methods.ts'
import { rawQuery } from '../http/raw-query.ts'
import { type LoginProblem, loginPage, loginPageHeaders } from '../pages/login-page.ts'
import { CONSENT_PATH, LOGIN_ALIAS, LOGIN_PATH, originOf, ownPath } from '../paths.ts'
import { ProviderBusy } from '../providers/provider.ts'
import { type Parameters, parseParameters, single } from '../url/parameters.ts'
import type { Outcome } from './complete.ts'
import { type LoginFlow, receiveInteraction, wishesOf } from './flow.ts'
import { answerOutcome, mayIdentify } from './identification.ts'
import { type Interaction, sealInteraction } from './interaction.ts'
import type { Attempt, PasswordLogin } from './password-login.ts'
import { reportFailedSignIn } from './sign-in-events.ts'
import { createSingleFlight } from './single-flight.ts'

/** A person who presses the button twice gets the first answer. */
const KEEP_ANSWER_MS = 10_000

type Answer = { attempt: Exclude<Attempt, { kind: 'identified' }> } | { outcome: Outcome }

export function loginRoute(app: FastifyInstance, flow: LoginFlow, login: PasswordLogin): void {
  const constraints = onHost(flow.host)
  const once = createSingleFlight<Answer>({
    keep: (answer) => 'outcome' in answer && answer.outcome.kind === 'done',
    keepMs: KEEP_ANSWER_MS,
    elapsed: flow.elapsed,
  })

  const showPage = async (request: FastifyRequest, reply: FastifyReply) => {
    const sealed = single(parseParameters(rawQuery(request)), 'interaction')
    const interaction = await receiveInteraction(request, sealed, flow)
    if (await mayIdentify(interaction, request, reply, flow)) {
      const { loginHint } = wishesOf(interaction)
      await showLogin(reply, interaction, flow, loginHint === undefined ? {} : { name: loginHint })
    }
    return reply
  }

  const takePassword = async (
    request: FastifyRequest<{ Body: Parameters }>,
    reply: FastifyReply,
  ) => {
    refuseCrossSite(request, originOf(flow.issuer))
    const sealed = single(request.body, 'interaction')
    const interaction = await receiveInteraction(request, sealed, flow)
    if (!(await mayIdentify(interaction, request, reply, flow))) return reply
    const name = single(request.body, 'username') ?? ''
    const password = passwordOf(request.body)
    const key = sha256(JSON.stringify([interaction.id, name, password]))
    try {
      const answer = await once(key, async () => {
        const attempt = await login.attempt({ name, password }, request)
        if (attempt.kind !== 'identified') return { attempt }
        const { person } = attempt
        const signedIn = () => flow.signIns.begin(request, person)
        return { outcome: await flow.complete(interaction, { person }, signedIn) }
      })
      if ('attempt' in answer) {
        reportFailedSignIn(request, interaction, flow, {
          reason: answer.attempt.kind,
          user: login.userNamed(name),
          seconds: 'seconds' in answer.attempt ? answer.attempt.seconds : undefined,
        })
        if (answer.attempt.kind === 'locked') {
          reply.header('retry-after', String(answer.attempt.seconds))
        }
        await showLogin(reply, interaction, flow, { name, problem: answer.attempt })
      } else {
        if (answer.outcome.kind === 'done') await login.remember(name, request, reply)
        await answerOutcome(answer.outcome, reply, interaction, flow)
      }
    } catch (error) {
      if (!(error instanceof ProviderBusy)) throw error
      reportFailedSignIn(request, interaction, flow, {
        reason: 'busy',
        user: login.userNamed(name),
        seconds: error.retryAfterSeconds,
      })
      reply.header('retry-after', String(error.retryAfterSeconds))
      const problem = { kind: 'busy', seconds: error.retryAfterSeconds } as const
      await showLogin(reply, interaction, flow, { name, problem })
    }
    return reply
  }

  for (const path of [LOGIN_PATH, LOGIN_ALIAS]) {
    app.get(path, { constraints }, showPage)
    app.post<{ Body: Parameters }>(path, { constraints }, takePassword)
    allowOnly(app, path, ['GET', 'POST'], constraints)
  }
}

async function showLogin(
  reply: FastifyReply,
  interaction: Interaction,
  flow: LoginFlow,
  typed: { name?: string; problem?: LoginProblem },
): Promise<void> {
  const purpose = flow.purposeOf(interaction)
  const resource = purpose.resource()
  const help = flow.brand.loginHelp
  const page = loginPage({
    action: ownPath(flow.issuer, LOGIN_PATH),
    interaction: await sealInteraction(interaction, flow),
    resourceName: resource.name,
    host: new URL(resource.origin).host,
    ...(purpose.clientName !== undefined && {
      clientName: purpose.clientName,
      cancelAction: ownPath(flow.issuer, CONSENT_PATH),
    }),
    ...(help !== undefined && { help }),
    ...typed,
  })
  void reply.code(statusOf(typed.problem)).headers(loginPageHeaders()).send(page)
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

/** A password may hold characters that no other parameter may; only a repeated password is refused. */
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
