/**
 * The answers for people in a browser: the redirect to the login, and pages that explain a refusal.
 *
 * @module
 */
import type { Caller } from '../credentials/credential.ts'
import type { Reader } from '../http/browser-request.ts'
import type { Brand } from '../pages/brand.ts'
import { nameForClient } from '../pages/client-lines.ts'
import { type ErrorPage, errorPage } from '../pages/error-page.ts'
import { DOCUMENT, inFrame } from '../pages/layout.ts'
import { type RefusalReason, refusedPage } from '../pages/refused-page.ts'
import { serverPage } from '../pages/server-page.ts'
import { signInLinkPage } from '../pages/sign-in-link-page.ts'
import { signInNeededPage } from '../pages/sign-in-needed-page.ts'
import { pageHeaders } from '../pages/styles.ts'
import type { ResourceMatch } from '../resources/resource-table.ts'
import type { Answer, AnswerContext, AnswerRules } from './answer.ts'
import { challenge } from './challenge.ts'

/** A program gets another answer at the same address. */
const VARY = 'Authorization, Cookie, Accept, Sec-Fetch-Mode, Sec-Fetch-Dest'

/**
 * Leads to the login, which returns to this page (features A9): by a redirect, or in a frame and after a form by a page
 * with a link. If no login leads back, a page says what this address is.
 */
export function signIn(context: AnswerContext, { signInUrl }: AnswerRules): Answer {
  const { match, target } = context
  const reader = context.reader()
  const back = reader === 'page' ? target : (pageBefore(context) ?? homeOf(context))
  const location = signInUrl(match, back)
  if (location === undefined) return challengePage(context)
  if (reader !== 'page') {
    const body = signInLinkPage({
      why: reader === 'form' ? 'form' : 'frame',
      resourceName: match.resource.name,
      signInUrl: location,
      requestId: context.requestId,
    })
    return page(401, reader, ['WWW-Authenticate', challenge(match)], body)
  }
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
      challenge(match),
      'Location',
      location,
      'Content-Length',
      '0',
    ],
  }
}

/** The page that has the form or the frame, if it is one of the same host. Any page can claim to be another one. */
function pageBefore({ match, referer }: AnswerContext): string | undefined {
  const { origin } = match.resource
  const address = referer()
  return address?.startsWith(`${origin}/`) ? address.slice(origin.length) : undefined
}

/** The address of a frame can be opened by itself; that of a form may be good for sending alone. */
const homeOf = ({ match, target, reader }: AnswerContext) =>
  reader() === 'form' ? match.resource.path || '/' : target

/** A page that says why the request was refused, and what the person can do. */
export function refusal(
  { match, requestId, reader }: AnswerContext,
  { signOutUrl, brand }: AnswerRules,
  why: RefusalReason,
): Answer {
  const { resource } = match
  const person = 'person' in why ? { person: why.person } : {}
  const body = refusedPage({
    why,
    resourceName: resource.name,
    host: new URL(resource.origin).host,
    signOutUrl: signOutUrl(resource),
    requestId,
    ask: brand.askForAccess({ resourceName: resource.name, ...person, requestId }),
  })
  return page(403, reader(), challengeLines(why, match), body)
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

/**
 * The page for a signed-in person at the address of an MCP server.
 * @param status 403 where a proxy asks, which would take 200 for a passage; else 200
 */
export function mcpServerPage(
  status: 200 | 403,
  { match, requestId }: Pick<AnswerContext, 'match' | 'requestId'>,
  { signOutUrl, caller }: Pick<AnswerRules, 'signOutUrl'> & { readonly caller: Caller },
): Answer {
  const { resource } = match
  const { person, sub } = caller
  const body = serverPage({
    resourceName: resource.name,
    name: nameForClient(resource.id),
    url: resource.audience,
    person: person.email ?? person.preferredUsername ?? sub,
    signOutUrl: signOutUrl(resource),
    requestId,
  })
  return page(status, 'page', [], body)
}

function challengePage({ match, requestId, reader }: AnswerContext): Answer {
  const body = signInNeededPage({
    resourceName: match.resource.name,
    resourceUrl: match.resource.url,
    requestId,
  })
  return page(401, reader(), ['WWW-Authenticate', challenge(match)], body)
}

/** An answer with a page that says what is wrong and names the request. */
export const errorAnswer = (
  status: number,
  reader: Reader,
  headers: readonly string[],
  words: Omit<ErrorPage, 'actions' | 'details'>,
): Answer => page(status, reader, headers, errorPage({ ...words, actions: [] }))

/** The answer with the operator's look, if it is a page. */
export function dressed(answer: Answer, brand: Pick<Brand, 'dress' | 'dressPolicy'>): Answer {
  const { body, headers } = answer
  // Without a look there is nothing to do; an allowed check has no body.
  if (body === undefined || !body.startsWith(DOCUMENT)) return answer
  const document = brand.dress(body)
  const rewritten = headers.map((value, index) => {
    const name = index % 2 === 0 ? '' : headers[index - 1]
    if (name === 'Content-Security-Policy') return brand.dressPolicy(value)
    return name === 'Content-Length' ? String(Buffer.byteLength(document)) : value
  })
  return { ...answer, headers: rewritten, body: document }
}

function page(
  status: number,
  reader: Reader,
  headers: readonly string[],
  document: string,
): Answer {
  const framed = reader !== 'page'
  const body = framed ? inFrame(document) : document
  return {
    status,
    headers: [
      // The sign-out link leads to the gateway, which may be another host and must not learn the address of the page.
      ...Object.entries(pageHeaders({ navigatesAway: true, framed })).flat(),
      'Vary',
      VARY,
      'Content-Length',
      String(Buffer.byteLength(body)),
      ...headers,
    ],
    body,
  }
}
