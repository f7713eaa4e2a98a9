/**
 * Turns a thrown error into an answer: OAuth's JSON for programs, a page for people. Only this file knows the statuses.
 * An unexpected error is reported whole and answered without detail.
 *
 * @module
 */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { OAuthError, type OAuthErrorCode, PageError, RegistrationClosed } from '../errors.ts'
import { DocumentUnavailable } from '../outbound/document-fetch.ts'
import {
  carriesFragment,
  type ErrorPage,
  errorPage,
  FAULT_WORDS,
  OUTAGE_WORDS,
} from '../pages/error-page.ts'
import { FRAGMENT_SCRIPTS } from '../pages/fragment.ts'
import { pageHeaders } from '../pages/styles.ts'
import { PersonUnchecked, ProviderBusy } from '../providers/provider.ts'
import { StorageUnavailable } from '../storage/storage.ts'
import { WrongMediaType } from './bodies.ts'
import { sendJson } from './json.ts'
import { RateLimited } from './rate-limit.ts'

const STATUS: Partial<Record<OAuthErrorCode, number>> = {
  invalid_client: 401,
  invalid_token: 401,
  insufficient_scope: 403,
  server_error: 500,
  temporarily_unavailable: 503,
}
/** Seconds after which a client may try again while the store does not answer. */
export const OUTAGE_RETRY_SECONDS = 2

/** The meaning of an error, before it becomes an answer. */
type Verdict =
  | { readonly kind: 'oauth'; readonly error: OAuthError }
  | { readonly kind: 'page'; readonly error: PageError }
  | { readonly kind: 'malformed'; readonly status: number; readonly text: string }
  | { readonly kind: 'unavailable'; readonly retryAfter: number }
  | { readonly kind: 'limited'; readonly retryAfter: number }
  | { readonly kind: 'bug' }

function judge(error: unknown): Verdict {
  if (error instanceof OAuthError) return { kind: 'oauth', error }
  if (error instanceof PageError) return { kind: 'page', error }
  if (error instanceof StorageUnavailable) {
    return { kind: 'unavailable', retryAfter: OUTAGE_RETRY_SECONDS }
  }
  if (
    error instanceof ProviderBusy ||
    error instanceof PersonUnchecked ||
    error instanceof DocumentUnavailable
  ) {
    return { kind: 'unavailable', retryAfter: error.retryAfterSeconds }
  }
  if (error instanceof WrongMediaType) {
    return { kind: 'malformed', status: 415, text: error.message }
  }
  if (error instanceof RateLimited) return { kind: 'limited', retryAfter: error.retryAfterSeconds }
  const status = isFrameworkError(error) ? error.statusCode : undefined
  return status !== undefined && status >= 400 && status < 500
    ? { kind: 'malformed', status, text: MALFORMED[status] ?? 'the request is malformed' }
    : { kind: 'bug' }
}

const MALFORMED: Readonly<Record<number, string>> = {
  404: 'there is nothing at this address',
  405: 'this method is not allowed here',
  413: 'the body is too large',
  415: 'this address does not accept that content type',
}

const isFrameworkError = (error: unknown): error is FastifyError =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'

/** The token endpoint says `access_denied` with 400 (RFC 8628 section 3.5). */
const statusOf = (error: OAuthError): number =>
  error instanceof RegistrationClosed ? 403 : (STATUS[error.code] ?? 400)

/** The error handler of endpoints that programs call. */
export function answerProgram(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  reply.header('cache-control', 'no-store')
  const verdict = judge(error)
  switch (verdict.kind) {
    case 'oauth': {
      const status = statusOf(verdict.error)
      reportRefusal(request, verdict.error, status)
      // RFC 6749 section 5.2: a client that tried Basic gets a challenge for Basic.
      if (
        verdict.error.code === 'invalid_client' &&
        /^basic/i.test(request.headers.authorization ?? '')
      ) {
        reply.header('www-authenticate', 'Basic realm="gatewarden"')
      }
      void sendJson(reply.code(status), {
        error: verdict.error.code,
        error_description: verdict.error.description,
      })
      return
    }
    case 'page':
      void sendJson(reply.code(verdict.error.status), {
        error: 'invalid_request',
        error_description: verdict.error.details ?? 'the request cannot be honoured',
      })
      return
    case 'malformed':
      void sendJson(reply.code(verdict.status), {
        error: 'invalid_request',
        error_description: verdict.text,
      })
      return
    case 'unavailable':
      reportOutage(request, error)
      void sendJson(reply.code(503).header('retry-after', String(verdict.retryAfter)), {
        error: 'temporarily_unavailable',
        error_description: 'try again in a moment',
      })
      return
    case 'limited':
      reportLimit(request)
      // Not `invalid_client`, which would make clients throw their registration away.
      void sendJson(reply.code(429).header('retry-after', String(verdict.retryAfter)), {
        error: 'temporarily_unavailable',
        error_description: 'too many requests from this address',
      })
      return
    case 'bug':
      request.report({ event: 'request-failed', err: error, status: 500 })
      void sendJson(reply.code(500), {
        error: 'server_error',
        error_description: `unexpected error, request ${request.id}`,
      })
  }
}

/** The error handler of addresses that people open. */
export function answerPerson(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const verdict = judge(error)
  switch (verdict.kind) {
    case 'oauth':
      reportRefusal(request, verdict.error, 400)
      sendErrorPage(reply, 400, {
        kind: 'client',
        title: 'This server could not read the request',
        text: 'The program that sent you here sent something this server does not understand.',
        details: verdict.error.description,
      })
      return
    case 'page':
      request.report({
        event: 'request-refused',
        reason: verdict.error.details ?? verdict.error.message,
        status: verdict.error.status,
        method: request.method,
      })
      sendErrorPage(reply, verdict.error.status, {
        kind: verdict.error.kind,
        title: verdict.error.title,
        text: verdict.error.message,
        ...(verdict.error.details !== undefined && { details: verdict.error.details }),
      })
      return
    case 'malformed':
      sendErrorPage(reply, verdict.status, {
        kind: 'client',
        title:
          verdict.status === 404
            ? 'There is nothing here'
            : 'This server could not read the request',
        text: 'Go back to the program you came from and start again.',
        details: verdict.text,
      })
      return
    case 'unavailable':
      reportOutage(request, error)
      reply.header('retry-after', String(verdict.retryAfter))
      sendErrorPage(reply, 503, OUTAGE_WORDS)
      return
    case 'limited':
      reportLimit(request)
      reply.header('retry-after', String(verdict.retryAfter))
      sendErrorPage(reply, 429, {
        kind: 'retry',
        title: 'Too many attempts',
        text: `Many requests came from your network. Wait ${verdict.retryAfter} seconds, then reload this page.`,
      })
      return
    case 'bug':
      request.report({ event: 'request-failed', err: error, status: 500 })
      sendErrorPage(reply, 500, FAULT_WORDS)
  }
}

/** Sends an error page; `actions` are what the person can do next. */
export function sendErrorPage(
  reply: FastifyReply,
  status: number,
  page: Omit<ErrorPage, 'requestId' | 'actions'> & Partial<Pick<ErrorPage, 'actions'>>,
  options: { navigatesAway?: boolean } = {},
): void {
  const { actions = [] } = page
  const scripts = actions.some(carriesFragment) ? [FRAGMENT_SCRIPTS.carry] : []
  void reply
    .code(status)
    .headers(pageHeaders({ ...options, scripts }))
    .send(errorPage({ ...page, actions, requestId: reply.request.id }))
}

function reportRefusal(request: FastifyRequest, error: OAuthError, status: number): void {
  // A device that waits asks every few seconds (RFC 8628 section 3.5): nothing is refused.
  if (error.code === 'authorization_pending') return
  request.report({
    event: 'request-refused',
    reason: error.description,
    error: error.code,
    status,
    method: request.method,
  })
}

function reportLimit(request: FastifyRequest): void {
  const { method } = request
  request.report({ event: 'request-refused', reason: 'rate limit', status: 429, method })
}

function reportOutage(request: FastifyRequest, error: unknown): void {
  request.report({
    event: 'unavailable',
    reason: error instanceof Error ? error.message : 'outage',
    status: 503,
    method: request.method,
  })
}
