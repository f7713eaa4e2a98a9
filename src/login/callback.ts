/**
 * `GET /callback`: a person comes back from the provider, in the browser that began or allowed the interaction
 * (decision K9, threats T2, T11).
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { sha256 } from '../crypto.ts'
import { onHost } from '../http/host-constraint.ts'
import { allowOnly } from '../http/methods.ts'
import { RateLimited } from '../http/rate-limit.ts'
import { rawQuery } from '../http/raw-query.ts'
import { CALLBACK_PATH } from '../paths.ts'
import { type Identity, ProviderFailure, type RedirectProvider } from '../providers/provider.ts'
import { parseParameters, single } from '../url/parameters.ts'
import type { Outcome } from './complete.ts'
import { createExchangeBudget, type Exchange, type ExchangeBudget } from './exchange-budget.ts'
import { type LoginFlow, receiveInteraction, showStartAgain, wishesOf } from './flow.ts'
import { answerOutcome, mayIdentify } from './identification.ts'
import type { Interaction } from './interaction.ts'
import { answerProviderFailure } from './provider-failure.ts'
import { createSingleFlight } from './single-flight.ts'

/** The longest life of a provider's code: a code redeemed twice ends the person's session at Keycloak. */
const KEEP_ANSWER_MS = 60_000

type Identified =
  | { readonly person: Identity }
  | { readonly failure: ProviderFailure }
  | { readonly answered: true }
  | { readonly spent: Exclude<Exchange, { kind: 'open' }> }

export function callbackRoute(
  app: FastifyInstance,
  flow: LoginFlow,
  provider: RedirectProvider,
): void {
  const constraints = onHost(flow.host)
  const budget = createExchangeBudget(flow)
  const kept = { keepMs: KEEP_ANSWER_MS, elapsed: flow.elapsed }
  // A code is redeemed once, whatever the outcome: after an outage of our store the same person goes on.
  const identifyOnce = createSingleFlight<Identified>({
    ...kept,
    keep: (found) =>
      'person' in found ||
      ('failure' in found && (found.failure.kind !== 'unavailable' || found.failure.codeIsSpent)),
  })
  const completeOnce = createSingleFlight<Outcome>({
    ...kept,
    keep: ({ kind }) => kind !== 'already-answered',
  })

  // No HEAD: a request that only looks must not redeem the code.
  app.get(CALLBACK_PATH, { exposeHeadRoute: false, constraints }, async (request, reply) => {
    const query = rawQuery(request)
    const state = single(parseParameters(query), 'state')
    const interaction = await receiveInteraction(request, state, flow)
    if (!(await mayIdentify(interaction, request, reply, flow))) return reply
    const callback = new URL(`${flow.issuer}${CALLBACK_PATH}?${query}`)
    const key = sha256(query)
    const address = flow.clientAddress(request.raw)
    const found = await identifyOnce(key, () =>
      identify(interaction, { callback, state: state ?? '', address }, { flow, provider, budget }),
    )
    if ('spent' in found) {
      if (found.spent.kind === 'wait') throw new RateLimited(found.spent.seconds)
      await showStartAgain(reply, interaction, flow)
      return reply
    }
    if ('failure' in found) {
      await answerProviderFailure(found.failure, reply, interaction, flow)
      return reply
    }
    const outcome: Outcome =
      'answered' in found
        ? { kind: 'already-answered' }
        : await completeOnce(key, () => flow.complete(interaction, found.person))
    await answerOutcome(outcome, reply, interaction, flow)
    return reply
  })
  allowOnly(app, CALLBACK_PATH, ['GET'], constraints)
}

async function identify(
  interaction: Interaction,
  response: { callback: URL; state: string; address: string },
  deps: { flow: LoginFlow; provider: RedirectProvider; budget: ExchangeBudget },
): Promise<Identified> {
  const { flow, provider, budget } = deps
  if (await flow.isAnswered(interaction)) return { answered: true }
  // Without a code there is nothing to redeem, so the provider is not called.
  const exchange = response.callback.searchParams.has('code')
    ? budget.begin({ id: interaction.id, address: response.address })
    : undefined
  if (exchange && exchange.kind !== 'open') return { spent: exchange }
  try {
    const person = await provider.identify(response.callback, {
      flowId: interaction.id,
      state: response.state,
      maxAge: wishesOf(interaction).maxAge,
    })
    exchange?.identified()
    return { person }
  } catch (error) {
    if (error instanceof ProviderFailure) return { failure: error }
    throw error
  }
}
