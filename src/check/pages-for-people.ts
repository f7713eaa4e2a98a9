/**
 * The answers for people in a browser: the redirect to the login, and pages that explain a refusal.
 *
 * @module
 */
import { type ErrorPage, errorPage } from '../pages/error-page.ts'
import { type RefusalReason, refusedPage } from '../pages/refused-page.ts'
import { signInNeededPage } from '../pages/sign-in-needed-page.ts'
import { pageHeaders } from '../pages/styles.ts'
import type { ResourceMatch } from '../resources/resource-table.ts'
import type { Answer, AnswerContext, AnswerRules } from './answer.ts'
import { challenge } from './challenge.ts'

/** A program gets another answer at the same address. */
const VARY = 'Authorization, Cookie, Accept, Sec-Fetch-Mode, Sec-Fetch-Dest'

/**
 * Redirects to the login, which returns to this page (features A9). If no login leads back, a page says what this
 * address is.
 */
export function signIn(context: AnswerContext, { signInUrl }: AnswerRules): Answer {
  const location = signInUrl(context.match, context.target)
  if (location === undefined) return challengePage(context)
  return {
    status: 302,
    headers: [
      'Cache-Control',
      'no-store',
      'Vary',
      VARY,
      'Referrer-Policy',
      'no-referrer',
      'WWW-Authenticate',
      challenge(context.match),
      'Location',
      location,
      'Content-Length',
      '0',
    ],
  }
}

/** A page that says why the request was refused, and what the person can do. */
export function refusal(
  { match, requestId }: AnswerContext,
  { signOutUrl }: AnswerRules,
  why: RefusalReason,
): Answer {
  const { resource } = match
  const body = refusedPage({
    why,
    resourceName: resource.name,
    host: new URL(resource.origin).host,
    signOutUrl: signOutUrl(resource),
    requestId,
  })
  return page(403, challengeLines(why, match), body)
}

/** The challenge that a program would get, for a proxy that passes no page on. */
function challengeLines({ kind }: RefusalReason, match: ResourceMatch): readonly string[] {
  switch (kind) {
    case 'permission':
      return ['WWW-Authenticate', challenge(match, 'insufficient_scope')]
    case 'person':
    case 'unrouted':
      return []
  }
}

function challengePage({ match, requestId }: AnswerContext): Answer {
  const body = signInNeededPage({
    resourceName: match.resource.name,
    resourceUrl: match.resource.audience,
    requestId,
  })
  return page(401, ['WWW-Authenticate', challenge(match)], body)
}

/** An answer with a page that says what is wrong and names the request. */
export const errorAnswer = (
  status: number,
  headers: readonly string[],
  words: Omit<ErrorPage, 'actions' | 'details'>,
): Answer => page(status, headers, errorPage({ ...words, actions: [] }))

function page(status: number, headers: readonly string[], body: string): Answer {
  return {
    status,
    headers: [
      // The sign-out link leads to the gateway, which may be another host and must not learn the address of the page.
      ...Object.entries(pageHeaders({ navigatesAway: true })).flat(),
      'Vary',
      VARY,
      'Content-Length',
      String(Buffer.byteLength(body)),
      ...headers,
    ],
    body,
  }
}
