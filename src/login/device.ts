/**
 * `/device`: a person types the code that a device shows, and is asked for consent (RFC 8628 section 3.3). The code in an
 * address fills the form in, and only the person sends it.
 *
 * @module
 */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { randomToken } from '../crypto.ts'
import { refuseCrossSite } from '../http/cross-site.ts'
import { onHost } from '../http/host-constraint.ts'
import { allowOnly } from '../http/methods.ts'
import { fromSharedHost, refuseFromSharedHost } from '../http/own-pages.ts'
import { rawQuery } from '../http/raw-query.ts'
import type { PendingDevice } from '../oauth/device/requests.ts'
import { normalizedUserCode, shownUserCode } from '../oauth/device/user-code.ts'
import { subjectOf } from '../oauth/subject.ts'
import { type CodeProblem, deviceAnsweredPage, devicePage } from '../pages/device-page.ts'
import { pageHeaders } from '../pages/styles.ts'
import {
  DEVICE_ALLOWED_PATH,
  DEVICE_DENIED_PATH,
  DEVICE_PATH,
  originOf,
  ownPath,
} from '../paths.ts'
import { type Parameters, parseParameters, single } from '../url/parameters.ts'
import { showConsent } from './ask-consent.ts'
import { FORM_PROOF, formProof, isFormProof } from './device-form.ts'
import { ANOTHER_CODE } from './device-purpose.ts'
import { type LoginFlow, pageHostOf } from './flow.ts'
import type { DeviceInteraction } from './interaction.ts'

const STATUS: Readonly<Record<CodeProblem['kind'], number>> = { wrong: 400, locked: 429 }

export function deviceRoutes(app: FastifyInstance, flow: LoginFlow): void {
  const constraints = onHost(flow.host)

  app.get(DEVICE_PATH, { constraints }, async (request, reply) => {
    refuseFromSharedHost(request, pageHostOf(flow))
    const typed = typedIn(parseParameters(rawQuery(request)))
    const code = normalizedUserCode(typed)
    const browser = flow.browsers.findOrSetCookie(request, reply)
    show(reply, flow, browser, code === undefined ? {} : { userCode: shownUserCode(code) })
    return reply
  })

  app.post<{ Body: Parameters }>(DEVICE_PATH, { constraints }, async (request, reply) => {
    refuseCrossSite(request, originOf(flow.issuer))
    if (pageHostOf(flow).isShared) {
      const proof = single(request.body, FORM_PROOF)
      const known = flow.browsers.find(request)
      if (known === undefined || !isFormProof(flow.keyring, { browser: known, proof })) {
        throw fromSharedHost()
      }
    }
    const browser = flow.browsers.findOrSetCookie(request, reply)
    if (single(request.body, ANOTHER_CODE) === undefined) {
      await answerCode(typedIn(request.body), browser, reply, flow)
    } else {
      show(reply, flow, browser, {})
    }
    return reply
  })
  allowOnly(app, DEVICE_PATH, ['GET', 'POST'], constraints)

  for (const [path, allowed] of [
    [DEVICE_ALLOWED_PATH, true],
    [DEVICE_DENIED_PATH, false],
  ] as const) {
    app.get(path, { constraints }, async (_request, reply) =>
      reply.headers(pageHeaders()).send(deviceAnsweredPage({ allowed })),
    )
    allowOnly(app, path, ['GET'], constraints)
  }
}

/** The text in the place of a code. People paste whatever they like: nothing of it is an error of a program. */
const typedIn = (parameters: Parameters): string => parameters.get('user_code')?.[0] ?? ''

async function answerCode(
  typed: string,
  browser: string,
  reply: FastifyReply,
  flow: LoginFlow,
): Promise<void> {
  const { request } = reply
  const known = await flow.signIns.find(request)
  const guess = flow.userCodeGuesses.begin({
    address: flow.clientAddress(request.raw),
    person: known && subjectOf(known.person),
  })
  if (guess.kind === 'wait') {
    const { seconds } = guess
    request.report({ event: 'sign-in-failed', reason: 'too many wrong device codes', seconds })
    reply.header('retry-after', String(seconds))
    show(reply, flow, browser, { problem: { kind: 'locked', minutes: Math.ceil(seconds / 60) } })
    return
  }
  const found = await flow.deviceRequests.find(typed).catch((error: unknown) => {
    // An outage says nothing about the code.
    guess.right()
    throw error
  })
  if (!found) {
    request.report({ event: 'sign-in-failed', reason: 'unknown or expired device code' })
    show(reply, flow, browser, { problem: { kind: 'wrong' } })
    return
  }
  guess.right()
  await showConsent(reply, interactionOf(found, browser, flow), flow)
}

function interactionOf(
  { code, request }: { readonly code: string; readonly request: PendingDevice },
  browser: string,
  flow: LoginFlow,
): DeviceInteraction {
  const { clientHash, clientName, clientConfigured, documentHost, resource, scopes } = request
  return {
    purpose: 'device',
    id: randomToken(16),
    stage: 'requested',
    clientHash,
    clientName,
    clientConfigured,
    ...(documentHost !== undefined && { documentHost }),
    resource,
    scopes: [...scopes],
    provider: flow.provider.id,
    browser,
    userCode: code,
    deviceId: request.id,
    expiresAt: request.expiresAt,
  }
}

function show(
  reply: FastifyReply,
  flow: LoginFlow,
  browser: string,
  page: { readonly userCode?: string; readonly problem?: CodeProblem },
): void {
  const status = page.problem ? STATUS[page.problem.kind] : 200
  void reply
    .code(status)
    .headers(pageHeaders())
    .send(
      devicePage({
        action: ownPath(flow.issuer, DEVICE_PATH),
        proof: formProof(flow.keyring, browser),
        ...page,
      }),
    )
}
