/**
 * The page that ends a sign-in which leads in a circle.
 *
 * @module
 */
import type { FastifyReply } from 'fastify'
import { sendErrorPage } from '../http/errors.ts'
import { OWN_PATHS } from '../paths.ts'
import { loginUrl, type SessionRules, type SessionTarget } from './target.ts'

/** Ends a loop with a page. Only the operator can fix the cause, so the log says what to check. */
export function showLoop(reply: FastifyReply, target: SessionTarget, rules: SessionRules): void {
  const { host } = new URL(target.returnTo)
  reply.request.report({ event: 'sign-in-circle', host, reason: loopReason(target, rules) })
  sendErrorPage(reply, 500, {
    kind: 'broken',
    title: 'Signing in leads in a circle',
    text: `You signed in, but your browser did not tell ${host}. Check that your browser allows cookies there. If it does, tell whoever runs this server the request number below; the log says what to check.`,
    actions: [
      {
        label: 'Try again in a minute',
        href: loginUrl(target, rules),
        carriesFragment: true,
      },
    ],
  })
}

function loopReason({ cookie, resource }: SessionTarget, { issuer }: SessionRules): string {
  const lost = 'the browser does not send its session cookie back'
  const [scheme = ''] = resource.origin.split(':')
  if (cookie.kind !== 'host' && scheme === 'http' && issuer.startsWith('https:')) {
    return `${lost}: the gateway is https and this resource is http, where browsers do not send the cookie. Give the resource an https address`
  }
  const opened = `that people open this host with ${scheme}, as its resource says`
  switch (cookie.kind) {
    case 'domain':
      return `${lost}. Check that browsers keep cookies for COOKIE_DOMAIN (${cookie.domain}), and ${opened}`
    case 'own-host':
      return `${lost}. Check that PUBLIC_URL is the address people open, and ${opened}`
    case 'host':
      return `${lost}. Check that ${OWN_PATHS} of this host is routed to Gatewarden, that no proxy removes Set-Cookie, and ${opened}`
  }
}
