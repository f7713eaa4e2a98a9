/**
 * The answers of `/auth/connect`: a page for a person, JSON in mcpauth's words for a program.
 *
 * @module
 */
import type { FastifyReply } from 'fastify'
import { nameOf, type Refusal, refusalReason } from '../check/refusal-reason.ts'
import type { Verified } from '../credentials/credential.ts'
import { randomToken } from '../crypto.ts'
import { isPageLoad } from '../http/browser-request.ts'
import { sendErrorPage } from '../http/errors.ts'
import { sendJson } from '../http/json.ts'
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
  },
): void {
  const { parameters, target, token, verified } = options
  const { log, id } = reply.request
  log.info({ requestId: id, user: verified.person.email ?? verified.sub }, 'connect page')
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
  request.log.info({ requestId: request.id, reason: error }, 'connect refused')
  if (isPageLoad(request)) sendErrorPage(reply, status, { ...PAGES[why], details: error })
  else void sendJson(reply.code(status).header('cache-control', 'no-store'), { error })
}

/** Tells a person who has a session why it is not enough. */
export function sendRefusedPage(
  reply: FastifyReply,
  options: {
    readonly decision: Refusal
    readonly resource: Resource
    readonly signOutUrl: string
  },
): void {
  const { decision, resource, signOutUrl } = options
  const { request } = reply
  request.log.info({ requestId: request.id, reason: decision.kind }, 'connect refused')
  const page = refusedPage({
    why: refusalReason(decision),
    resourceName: resource.name,
    host: new URL(resource.origin).host,
    signOutUrl,
    requestId: request.id,
  })
  void reply
    .code(403)
    // The sign-out link leads to the gateway, which may be another host and must not learn the address of the page.
    .headers(pageHeaders({ navigatesAway: true }))
    .send(page)
}
