/**
 * Sorts the requests of our own host under `PATH_PREFIX` (decision 0057): below it the paths are ours, without it they
 * are the application's. Routes know no prefix; they see the paths of `paths.ts` alone.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { originOf, prefixOf, WELL_KNOWN_DOCUMENTS } from '../paths.ts'
import { isOwnHost } from '../url/host.ts'
import { withoutQuery } from '../url/path.ts'

/** A target that no route has but the one for everything else, which passes requests on. */
const NO_ROUTE = '/.application'
const EVERYTHING_ELSE = '/*'

export interface OwnTargets {
  /** Gives the request the target that our routes know, once. */
  enter(request: IncomingMessage): void
  /** Gives requests that no route of ours takes their own target back. @param app the root scope, before its routes */
  leave(app: FastifyInstance): void
}

/**
 * @param options `issuer`: `PUBLIC_URL` with `PATH_PREFIX`; `isProtected`: true for the host of a protected server
 * @returns undefined without a prefix: each target is then what it is
 */
export function createOwnTargets({
  issuer,
  isProtected,
}: {
  readonly issuer: string
  readonly isProtected: (host: string) => boolean
}): OwnTargets | undefined {
  const prefix = prefixOf(issuer)
  if (prefix === '') return undefined
  const originals = new WeakMap<IncomingMessage, string>()
  return {
    enter(request) {
      if (originals.has(request)) return
      const { url = '', headers } = request
      originals.set(request, url)
      request.url = routed(url, headers.host ?? '')
    },
    leave(app) {
      app.addHook('onRequest', (request, _reply, done) => {
        const original = originals.get(request.raw)
        if (original !== undefined && request.routeOptions.url === EVERYTHING_ELSE) {
          request.raw.url = original
        }
        done()
      })
    },
  }

  function routed(target: string, host: string): string {
    const isOwn = isOwnHost(host, originOf(issuer))
    if (!isOwn && isProtected(host)) return target
    const path = withoutQuery(target)
    if (path === prefix || path.startsWith(`${prefix}/`)) {
      const rest = target.slice(prefix.length)
      return rest.startsWith('/') ? rest : `/${rest}`
    }
    // Proxies and probes ask by an inner name, which is no address of an application.
    return !isOwn || isDocument(path) ? target : NO_ROUTE
  }
}

const isDocument = (path: string) =>
  WELL_KNOWN_DOCUMENTS.some((ours) => path === ours || path.startsWith(`${ours}/`))
