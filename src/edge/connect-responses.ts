/**
 * The answers of `/auth/connect`: a page for a person, JSON in mcpauth's words for a program.
 *
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { reasonOf } from '../check/decide.ts'
import { nameOf, type Refusal, refusalReason } from '../check/refusal-reason.ts'
import type { Verified } from '../credentials/credential.ts'
import { randomToken } from '../crypto.ts'
import { isPageLoad } from '../http/browser-request.ts'
import { sendErrorPage } from '../http/errors.ts'
import { sendJson } from '../http/json.ts'
import type { Brand } from '../pages/brand.ts'
import { connectPage, connectPageHeaders } from '../pages/connect-page.ts'
import { refusedPage } from '../pages/refused-page.ts'
import { pageHeaders } from '../pages/styles.ts'
import type { Resource } from '../resources/resource-table.ts'
import type { SessionTarget } from '../sessions/target.ts'
import type { ConnectParameters } from './connect-parameters.ts'

/** Sends the page that hands the session over. Each page has its own nonce. */
export function sendConnectPage(
  reply: FastifyReply,
  options: {
    readonly parameters: ConnectParameters
    readonly target: SessionTarget
    readonly token: string
    readonly verified: Verified
    /** The name of the person, as `X-Forwarded-User` has it. */
    readonly userOf: (verified: Verified) => string
  },
): void {
  const { parameters, target, token, verified } = options
  reply.request.report({
    event: 'session-handed-over',
    user: options.userOf(verified),
    userId: verified.sub,
    grant: verified.grant,
    resource: target.resource.id,
  })
  const policy = { port: parameters.callbackPort, nonce: randomToken(16) }
  const page = connectPage({
    ...policy,
    code: parameters.code,
    gateway: new URL(target.returnTo).host,
    person: nameOf(verified),
    token,
  })
  void reply.headers(connectPageHeaders(policy)).send(page)
}

const PAGES = {
  malformed: {
    kind: 'client',
    title: 'The address is not complete',
    text: 'The program in your terminal opened an address that this server does not understand. Nothing was shared with it.',
  },
  'not-opened': {
    kind: 'client',
    title: 'Open this page yourself',
    text: 'A program on this host requested this page in your place, so this server did not show the page. Open the address from your terminal in a new tab. If you see this again, tell whoever runs the application on this host.',
  },
  nowhere: {
    kind: 'client',
    title: 'There is nothing to connect to here',
    text: 'The program in your terminal has the wrong address. Ask whoever runs this server for the right one.',
  },
} as const

/** Refuses a request before it is known who makes it. */
export function refuse(
  reply: FastifyReply,
  { status, error, why }: { status: number; error: string; why: keyof typeof PAGES },
): void {
  const { request } = reply
  request.report({ event: 'request-refused', reason: error, status, method: request.method })
  if (isPageLoad(request)) sendErrorPage(reply, status, { ...PAGES[why], details: error })
  else void sendJson(reply.code(status).header('cache-control', 'no-store'), { error })
}

function reportRefusal(request: FastifyRequest, decision: Refusal, resource: Resource): void {
  request.report({
    event: 'request-refused',
    reason: reasonOf(decision) ?? decision.kind,
    status: 403,
    method: request.method,
    userId: decision.verified.sub,
    grant: decision.verified.grant,
    resource: resource.id,
  })
}

/** Tells a person who has a session why it is not enough. */
export function sendRefusedPage(
  reply: FastifyReply,
  options: {
    readonly decision: Refusal
    readonly resource: Resource
    readonly signOutUrl: string
    readonly brand: Pick<Brand, 'askForAccess'>
  },
): void {
  const { decision, resource, signOutUrl, brand } = options
  const { request } = reply
  reportRefusal(request, decision, resource)
  const why = refusalReason(decision)
  const person = 'person' in why ? { person: why.person } : {}
  const page = refusedPage({
    why,
    resourceName: resource.name,
    host: new URL(resource.origin).host,
    signOutUrl,
    requestId: request.id,
    ask: brand.askForAccess({ resourceName: resource.name, ...person, requestId: request.id }),
  })
  void reply
    .code(403)
    // The sign-out link leads to the gateway, which may be another host and must not learn the address of the page.
    .headers(pageHeaders({ navigatesAway: true }))
    .send(page)
}
