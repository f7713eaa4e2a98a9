/**
 * The composition root: mounts one list of surfaces over the services that `services/` builds. An endpoint is a line
 * in that list. This file owns no rule.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { edgeRoutes } from './edge/routes.ts'
import { tunnelEndpoint } from './edge/tunnel.ts'
import { createEndpoints } from './forward-auth/endpoints.ts'
import { createHandler } from './forward-auth/handler.ts'
import { forwardAuthRoutes } from './forward-auth/routes.ts'
import { dressPages } from './http/dress-pages.ts'
import { everyMinute } from './http/every-minute.ts'
import { healthRoutes } from './http/health.ts'
import { demandHttps } from './http/hsts.ts'
import { createLifecycle } from './http/lifecycle.ts'
import { createOwnTargets } from './http/own-targets.ts'
import { createHttpServer } from './http/server.ts'
import { mountSurface, type Surface } from './http/surface.ts'
import { loginRoutes } from './login/routes.ts'
import { registrationManagementRoute } from './oauth/endpoints/client-configuration.ts'
import { deviceAuthorizationRoute } from './oauth/endpoints/device-authorization.ts'
import { createDiscovery, discoveryRoutes } from './oauth/endpoints/discovery.ts'
import { introspectionRoute, revocationRoute } from './oauth/endpoints/issued-token.ts'
import { registrationRoute } from './oauth/endpoints/registration.ts'
import { createIsDevicePoll, tokenRoute } from './oauth/endpoints/token.ts'
import { usableGrantTypes } from './oauth/grants/index.ts'
import { revokeEndedGrants } from './oauth/revocation.ts'
import { createConcurrency } from './proxy/concurrency.ts'
import { createForwarding } from './proxy/forwarding.ts'
import { createFrontPage } from './proxy/front-page.ts'
import { createLoops } from './proxy/loops.ts'
import { createPersonTokenLines } from './proxy/person-token.ts'
import { createUpstreamHeaders } from './proxy/request-headers.ts'
import { proxyRoutes } from './proxy/routes.ts'
import { createUpstream } from './proxy/upstream.ts'
import { covers } from './resources/resource-table.ts'
import type { AppDeps } from './services/app-deps.ts'
import { buildServices, type Services } from './services/index.ts'
import { isOwnCookie } from './sessions/own-cookies.ts'
import { sessionRoutes } from './sessions/routes.ts'
import { signOutUrl } from './sessions/target.ts'

/** @throws SigningKeyUnreadable if the store was sealed under another secret; StorageUnavailable */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const { config, storage, log, events, now, lifecycle = createLifecycle() } = deps
  const { identityHeaders } = config
  const services = await buildServices(deps)
  const { issuer, check, reportCheck, resources, sessionRules, isTrustedProxy } = services
  const loops = createLoops(services)

  const direct = config.directChecks
    ? { resources, onDirect: () => events.emit({ event: 'asked-directly' }) }
    : undefined
  const protectedPath = isProxied(config.protectedPath) ? undefined : config.protectedPath
  const endpoints = [
    ...createEndpoints({ check, resources, identityHeaders, protectedPath, direct }),
    ...(config.edgeAuth ? [tunnelEndpoint({ check, rules: sessionRules, direct })] : []),
  ]
  const answerCheck = createHandler({
    endpoints,
    isTrustedProxy,
    trustedProxies: config.trustedProxies,
    events,
    reportCheck,
    brand: services.brand,
  })
  const described = {
    issuer,
    providerIssuer: services.providerIssuer,
    resources,
    registration: services.registrationPolicy.isOpen,
    sawDiscovery: services.proxyFaults.sawDiscovery,
    grantTypes: usableGrantTypes(config.clients, services.selfDeclaredGrants),
    clientMetadata: services.readsClientMetadata,
  }

  const surfaces: readonly Surface[] = [
    {
      name: 'forward-auth',
      mount: (scope) => forwardAuthRoutes(scope, { endpoints, answerCheck }),
    },
    { name: 'health', mount: (scope) => healthRoutes(scope, { probeStore, lifecycle, isProxied }) },
    {
      name: 'discovery',
      limit: 'discovery',
      mount: (scope) => discoveryRoutes(scope, { ...described, keys: services.keys }),
    },
    {
      name: 'registration',
      limit: 'register',
      mount: (scope) =>
        registrationRoute(scope, { ...services, policy: services.registrationPolicy, now }),
    },
    {
      name: 'registration-management',
      limit: 'register',
      mount: (scope) => registrationManagementRoute(scope, services),
    },
    {
      name: 'device-authorization',
      limit: 'device',
      mount: (scope) => deviceAuthorizationRoute(scope, services),
    },
    {
      name: 'token',
      limit: 'token',
      isPoll: createIsDevicePoll({ keyring: services.keyring, now }),
      mount: (scope) => tokenRoute(scope, services),
    },
    { name: 'revocation', limit: 'revoke', mount: (scope) => revocationRoute(scope, services) },
    {
      name: 'introspection',
      limit: 'introspect',
      mount: (scope) => introspectionRoute(scope, services),
    },
    {
      name: 'login',
      limit: 'login',
      cookies: true,
      mount: (scope) => loginRoutes(scope, services.sessionRoutes.flow),
    },
    {
      name: 'sessions',
      limit: 'login',
      cookies: true,
      mount: (scope) => sessionRoutes(scope, services.sessionRoutes),
    },
    ...(config.edgeAuth
      ? [
          {
            name: 'edge',
            limit: 'edge' as const,
            cookies: true,
            mount: (scope: FastifyInstance) =>
              edgeRoutes(scope, { ...services, rules: sessionRules }),
          },
        ]
      : []),
    {
      name: 'proxy',
      streams: true,
      mount: (scope) =>
        proxyRoutes(scope, {
          ...services,
          upstream: createUpstream({
            idleMs: config.upstreamIdle * 1000,
            bodyLimit: config.upstreamLimits?.body,
            headerLimit: config.upstreamLimits?.headers,
          }),
          concurrency: createConcurrency(
            config.upstreamLimits?.perPerson ?? { requests: 0, streams: 0 },
          ),
          forwarding: createForwarding({
            ...services,
            upstreamHeaders: createUpstreamHeaders(identityHeaders, {
              apiKeyHeader: config.apiKeyHeader,
              personTokenHeaders: config.resources.flatMap(
                ({ passThrough }) => passThrough?.personTokenHeader ?? [],
              ),
            }),
            personTokenLines: createPersonTokenLines({ now }),
            isOwnCookie,
            loops,
          }),
          loops,
          discover: createDiscovery(described),
          signOutUrl: (resource) => signOutUrl(resource, sessionRules),
          frontPage: createFrontPage(services),
        }),
    },
  ]

  const app = createHttpServer({
    log,
    events,
    clientAddress: services.clientAddress,
    answerEarly: answerCheck,
    isTrustedProxy,
    lifecycle,
    takesTunnels: config.resources.some(({ upstream }) => upstream !== undefined),
    ownTargets: createOwnTargets({ issuer, isProtected: resources.hasHost }),
  })
  if (config.hsts) demandHttps(app, issuer)
  dressPages(app, services.brand)
  for (const keys of services.keys) {
    everyMinute(app, { task: keys.refresh, name: 'reading the signing keys', events })
  }
  everyMinute(app, {
    task: services.revokedBefore.refresh,
    name: 'reading the stored REVOKE_BEFORE',
    events,
  })
  app.addHook('onListen', async () => endGrants(services, deps))
  app.addHook('onClose', async () => services.announcements.close())
  for (const surface of surfaces) mountSurface(app, surface, services.rateLimits)
  return app

  /** True if a server behind us may have this path: it is not ours to answer then. */
  function isProxied(path: string) {
    return resources.all.some(
      ({ upstream, path: own, also }) =>
        upstream && [own, ...also].some((prefix) => covers(prefix, path)),
    )
  }
  function probeStore() {
    return storage.get('probe')
  }
}

/**
 * Ends the grants from before `REVOKE_BEFORE`, and those of people and programs that left the configuration or have
 * another password or secret, beside the first requests. Checks already refuse them; ended grants stay so whatever the configuration says later.
 */
function endGrants(services: Services, { events, now }: AppDeps): void {
  revokeEndedGrants({ ...services, events, now }).catch((error: unknown) =>
    events.emit({ event: 'task-failed', task: 'looking for grants to end', err: error }),
  )
}
