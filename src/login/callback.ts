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
import { rawQuery } from '../http/raw-query.ts'
import { CALLBACK_PATH } from '../paths.ts'
import { type Identity, ProviderFailure, type RedirectProvider } from '../providers/provider.ts'
import { StorageUnavailable } from '../storage/storage.ts'
import { parseParameters, single } from '../url/parameters.ts'
import { carryPerson, findCarriedPerson } from './carried-person.ts'
import type { Outcome } from './complete.ts'
import { type LoginFlow, receiveInteraction } from './flow.ts'
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

export function callbackRoute(
  app: FastifyInstance,
  flow: LoginFlow,
  provider: RedirectProvider,
): void {
  const constraints = onHost(flow.host)
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
    const carried = await findCarriedPerson(request, key, flow)
    const found = carried
      ? { person: carried }
      : await identifyOnce(key, () =>
          identify(interaction, { callback, state: state ?? '' }, { flow, provider }),
        )
    if ('failure' in found) {
      await answerProviderFailure(found.failure, reply, interaction, flow)
      return reply
    }
    const outcome: Outcome =
      'answered' in found
        ? { kind: 'already-answered' }
        : await completeOnce(key, () => flow.complete(interaction, found.person)).catch(
            async (error: unknown) => {
              if (error instanceof StorageUnavailable) {
                await carryPerson(reply, key, found.person, flow)
              }
              throw error
            },
          )
    await answerOutcome(outcome, reply, interaction, flow)
    return reply
  })
  allowOnly(app, CALLBACK_PATH, ['GET'], constraints)
}

async function identify(
  interaction: Interaction,
  response: { callback: URL; state: string },
  { flow, provider }: { flow: LoginFlow; provider: RedirectProvider },
): Promise<Identified> {
  if (await flow.isAnswered(interaction)) return { answered: true }
  try {
    const person = await provider.identify(response.callback, {
      flowId: interaction.id,
      state: response.state,
    })
    return { person }
  } catch (error) {
    if (error instanceof ProviderFailure) return { failure: error }
    throw error
  }
}
