/**
 * Checks the gateway's own host from outside: discovery documents, and addresses that only the proxy may ask.
 *
 * @module
 */
import { type Config, issuerOf } from '../../config/config.ts'
import { AUTHORIZATION_SERVER } from '../../paths.ts'
import { plain } from '../answers.ts'
import { type Ask, membersOf, ownWords } from './ask.ts'
import { type Fault, type Finding, judged } from './finding.ts'
import { redirected, unanswered } from './no-answer.ts'

/** The check of every family, and the state of the store. */
const FOR_THE_PROXY = [
  '/auth',
  '/auth/traefik',
  '/auth/nginx',
  '/verify',
  '/authenticate',
  '/readyz',
]

export async function checkGateway(config: Config, ask: Ask): Promise<readonly Finding[]> {
  const check = { check: 'gateway', promise: 'PUBLIC_URL answers as this gateway' }
  const fault = await discoveryFault(config, ask)
  const isAsked = config.resources.some(({ upstream }) => upstream === undefined)
  // With a prefix every path of ours is routed here; the peer of the question is checked then as well.
  const isPrivate = isAsked && config.pathPrefix === undefined && !fault
  return [judged(check, fault), ...(isPrivate ? [await privacyOf(config, ask)] : [])]
}

async function discoveryFault(config: Config, ask: Ask): Promise<Fault | undefined> {
  const issuer = issuerOf(config)
  const url = config.publicUrl.origin + AUTHORIZATION_SERVER[0] + (config.pathPrefix ?? '')
  const answer = await ask(url)
  if ('failure' in answer) return unanswered(url, answer, 'PUBLIC_URL')
  const redirect = redirected(url, answer, 'PUBLIC_URL')
  if (redirect) return redirect
  const { issuer: named } = membersOf(answer)
  if (answer.status === 200 && named === issuer) return undefined
  const isOther = answer.status === 200 && typeof named === 'string'
  return {
    seen: isOther
      ? `${url} is about ${plain(named)}`
      : `${url} answered ${answer.status}, and no document of an authorization server`,
    means: 'Clients do not find the login, so nobody can sign in.',
    fix: isOther
      ? `The gateway that answers has another PUBLIC_URL or PATH_PREFIX than this configuration. Give both the same.`
      : `Route every path of ${config.publicUrl.host} to Gatewarden, without a login in front (docs/proxies).`,
  }
}

async function privacyOf({ publicUrl }: Config, ask: Ask): Promise<Finding> {
  const check = { check: 'private', promise: 'the addresses for the proxy are closed to others' }
  const open: string[] = []
  for (const path of FOR_THE_PROXY) {
    const answer = await ask(publicUrl.origin + path)
    if ('failure' in answer) continue
    const isState = answer.status === 200 && 'store' in membersOf(answer)
    const isCheck = ownWords(answer) !== undefined && !answer.headers.has('www-authenticate')
    if (answer.status !== 404 && (isState || isCheck)) open.push(path)
  }
  if (open.length === 0) return judged(check, undefined)
  return judged(check, {
    seen: `Gatewarden answers at ${open.join(', ')} of ${publicUrl.host}`,
    means: 'Strangers can ask the check in the name of your proxy.',
    fix: `Leave these paths out of the route to Gatewarden, as the shipped files do (docs/proxies).`,
  })
}
