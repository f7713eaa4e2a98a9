/**
 * `GET /callback`, or `CALLBACK_PATH`: a person comes back from the provider, in the browser that began or allowed the interaction
 * (decision K9, threats T2, T11).
 *
 * @module
 */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { sha256 } from '../crypto.ts'
import { onHost } from '../http/host-constraint.ts'
import { allowOnly } from '../http/methods.ts'
import { RateLimited } from '../http/rate-limit.ts'
import { rawQuery } from '../http/raw-query.ts'
import {
  type Identification,
  ProviderFailure,
  type RedirectProvider,
} from '../providers/provider.ts'
import { StorageUnavailable } from '../storage/storage.ts'
import { parseParameters, single } from '../url/parameters.ts'
import { carryPerson, findCarriedPerson } from './carried-person.ts'
import type { Outcome } from './complete.ts'
import { createExchangeBudget, type Exchange, type ExchangeBudget } from './exchange-budget.ts'
import {
  afterSignOut,
  identifyUrl,
  type LoginFlow,
  otherAccountUrl,
  receiveInteraction,
  showStartAgain,
  toOtherAccount,
  wishesOf,
} from './flow.ts'
import { answerOutcome, mayIdentify } from './identification.ts'
import type { Interaction } from './interaction.ts'
import { answerProviderFailure, orAnswerFailure } from './provider-failure.ts'
import { sendOn } from './responses.ts'
import { createSingleFlight } from './single-flight.ts'

/** The longest life of a provider's code: a code redeemed twice ends the person's session at Keycloak. */
const KEEP_ANSWER_MS = 60_000

type Identified =
  | Identification
  | { readonly failure: ProviderFailure }
  | { readonly answered: true }
  | { readonly spent: Exclude<Exchange, { kind: 'open' }> }

export function callbackRoute(
  app: FastifyInstance,
  flow: LoginFlow,
  provider: RedirectProvider,
): void {
  const { callbackPath } = flow
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
  app.get(callbackPath, { exposeHeadRoute: false, constraints }, async (request, reply) => {
    const query = rawQuery(request)
    const given = single(parseParameters(query), 'state')
    const signedOut = afterSignOut(given)
    const leaving = toOtherAccount(given)
    const state = signedOut ?? leaving ?? given
    const interaction = await receiveInteraction(request, state, flow)
    if (!(await mayIdentify(interaction, request, reply, flow))) return reply
    if (signedOut !== undefined) {
      await signInAgain(reply, interaction, flow)
      return reply
    }
    if (leaving !== undefined) {
      await leaveAccount(reply, interaction, flow)
      return reply
    }
    const callback = new URL(`${flow.issuer}${callbackPath}?${query}`)
    const key = sha256(query)
    const address = flow.clientAddress(request.raw)
    const carried = await findCarriedPerson(request, key, flow)
    const found = carried
      ? { person: carried }
      : await identifyOnce(key, () =>
          identify(
            interaction,
            { callback, state: state ?? '', address },
            { flow, provider, budget },
          ),
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
        : await completeOnce(key, () =>
            flow.complete(interaction, found, () => flow.signIns.begin(request, found.person)),
          ).catch(async (error: unknown) => {
            // Tokens of the provider are too long for a cookie. This process keeps them for a minute.
            if (error instanceof StorageUnavailable && !flow.relay) {
              await carryPerson(reply, key, found.person, flow)
            }
            throw error
          })
    const isRefused = outcome.kind === 'refused' && 'person' in found
    const answer = isRefused ? { ...found, ...outcome } : outcome
    await answerOutcome(answer, reply, interaction, flow)
    return reply
  })
  allowOnly(app, callbackPath, ['GET'], constraints)
}

/** A person who left their account at the provider signs in there, as anybody. */
const signInAgain = (reply: FastifyReply, interaction: Interaction, flow: LoginFlow) =>
  orAnswerFailure(reply, interaction, flow, async () =>
    sendOn(reply, await identifyUrl(interaction, flow, { prompt: 'login' })),
  )

/** A person goes to another account by a link that outlives the provider's own addresses. */
const leaveAccount = (reply: FastifyReply, interaction: Interaction, flow: LoginFlow) =>
  orAnswerFailure(reply, interaction, flow, async () =>
    sendOn(reply, (await otherAccountUrl(interaction, flow, {})).href),
  )

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
    const { tokens, ...identification } = await provider.identify(response.callback, {
      flowId: interaction.id,
      state: response.state,
      maxAge: wishesOf(interaction).maxAge,
    })
    exchange?.identified()
    if (!flow.relay || interaction.purpose === 'session') return identification
    await flow.relay.admit(tokens, identification.person, flow.purposeOf(interaction).resource())
    return { ...identification, ...(tokens && { tokens }) }
  } catch (error) {
    if (error instanceof ProviderFailure) return { failure: error }
    throw error
  }
}
