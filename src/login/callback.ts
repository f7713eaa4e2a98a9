/**
 * `GET /callback`: a person comes back from the provider, to the browser that began or allowed it (decision K9,
 * threats T2, T11).
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { sha256 } from '../crypto.ts'
import { onHost } from '../http/host.ts'
import { allowOnly } from '../http/methods.ts'
import { parseParameters, single } from '../oauth/parameters.ts'
import { ProviderFailure, type RedirectProvider } from '../providers/provider.ts'
import type { Outcome } from './complete.ts'
import { type LoginFlow, rawQuery, receiveInteraction } from './flow.ts'
import { answerOutcome, mayIdentify } from './identification.ts'
import type { Interaction } from './interaction.ts'
import { CALLBACK_PATH } from './paths.ts'
import { answerProviderFailure } from './provider-failure.ts'
import { createSingleFlight } from './single-flight.ts'

/** As long as a provider's code may live: a code redeemed twice ends the person's session at Keycloak. */
const KEEP_ANSWER_MS = 60_000

type Answer = { readonly outcome: Outcome } | { readonly failure: ProviderFailure }

export function callbackRoute(
  app: FastifyInstance,
  flow: LoginFlow,
  provider: RedirectProvider,
): void {
  const constraints = onHost(flow.host)
  const once = createSingleFlight<Answer>({
    keep: (answer) =>
      'outcome' in answer || answer.failure.kind !== 'unavailable' || answer.failure.codeIsSpent,
    keepMs: KEEP_ANSWER_MS,
    now: flow.now,
  })

  // No HEAD: whoever only looks must not redeem the code.
  app.get(CALLBACK_PATH, { exposeHeadRoute: false, constraints }, async (request, reply) => {
    const query = rawQuery(request)
    const state = single(parseParameters(query), 'state')
    const interaction = await receiveInteraction(request, state, flow)
    if (!(await mayIdentify(interaction, request, reply, flow))) return reply
    const callback = new URL(`${flow.issuer}${CALLBACK_PATH}?${query}`)
    const answer = await once(sha256(query), () =>
      identify(interaction, { callback, state: state ?? '' }, { flow, provider }),
    )
    if ('outcome' in answer) await answerOutcome(answer.outcome, reply, interaction, flow)
    else await answerProviderFailure(answer.failure, reply, interaction, flow)
    return reply
  })
  allowOnly(app, CALLBACK_PATH, ['GET'], constraints)
}

async function identify(
  interaction: Interaction,
  came: { callback: URL; state: string },
  { flow, provider }: { flow: LoginFlow; provider: RedirectProvider },
): Promise<Answer> {
  if (await flow.isAnswered(interaction)) return { outcome: { kind: 'already-answered' } }
  try {
    const person = await provider.identify(came.callback, {
      flowId: interaction.id,
      state: came.state,
    })
    return { outcome: await flow.complete(interaction, person) }
  } catch (error) {
    if (error instanceof ProviderFailure) return { failure: error }
    throw error
  }
}
