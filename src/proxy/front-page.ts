/**
 * `/` of a gateway on this computer: says what runs to the person who tries it. Elsewhere nobody learns of servers.
 *
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Check } from '../check/check.ts'
import { nameForClient } from '../pages/client-lines.ts'
import { frontPage } from '../pages/front-page.ts'
import { pageHeaders } from '../pages/styles.ts'
import { LOGOUT_PATH } from '../paths.ts'
import type { Resource, ResourceTable } from '../resources/resource-table.ts'
import { isOwnHost } from '../url/host.ts'
import { withoutQuery } from '../url/path.ts'

export interface FrontPageDeps {
  /** Our origin. */
  readonly issuer: string
  readonly resources: ResourceTable
  readonly check: Check
  readonly isTrustedProxy: (address: string | undefined) => boolean
}

export interface FrontPage {
  /** False unless our origin is on this computer, as the requester is, and the request asks for `/` there. */
  isFor(request: FastifyRequest): boolean
  send(request: FastifyRequest, reply: FastifyReply): Promise<void>
}

export function createFrontPage(deps: FrontPageDeps): FrontPage {
  const { issuer, resources, isTrustedProxy } = deps
  const { protocol, hostname } = new URL(issuer)
  const isHere = protocol === 'http:' && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
  return {
    isFor: ({ headers, raw, socket }) =>
      isHere &&
      isOwnHost(headers.host ?? '', issuer) &&
      isTrustedProxy(socket.remoteAddress) &&
      withoutQuery(raw.url ?? '') === '/' &&
      resources.all.length > 0,
    send: (request, reply) => answer(request, reply, deps),
  }
}

async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: FrontPageDeps,
): Promise<void> {
  const { issuer, resources } = deps
  const person = await personOf(request, deps)
  const page = frontPage({
    servers: resources.all.map((resource) => ({
      resourceName: resource.name,
      name: nameForClient(resource.id),
      url: resource.audience,
    })),
    ...(person !== undefined && { person }),
    signOutUrl: issuer + LOGOUT_PATH,
    requestId: request.id,
  })
  void reply.headers(pageHeaders()).send(page)
}

/** The person whose session a server on this host accepts: a check asks for each until one does. */
async function personOf(
  request: FastifyRequest,
  { issuer, resources, check }: FrontPageDeps,
): Promise<string | undefined> {
  const here = resources.all.filter(({ origin }) => isOwnHost(new URL(origin).host, issuer))
  for (const resource of here) {
    const { verified } = await check({
      located: { host: new URL(issuer).host, target: targetOf(resource), method: 'GET' },
      rawHeaders: request.raw.rawHeaders,
      requestId: request.id,
      carrier: request.raw,
    })
    if (verified) return verified.person.email ?? verified.person.preferredUsername ?? verified.sub
  }
  return undefined
}

const targetOf = ({ path }: Resource) => path || '/'
