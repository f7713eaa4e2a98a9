/**
 * The answers at the end of a step: a page of ours, or a redirect to the client, which always carries `iss` (RFC 9207).
 *
 * @module
 */
import type { FastifyReply } from 'fastify'
import type { AuthorizationError, VerifiedRedirect } from '../errors.ts'
import { isBrowserForm } from '../http/browser-request.ts'
import { sendErrorPage } from '../http/errors.ts'
import { destinationInWords, destinationName, withParameters } from '../oauth/redirect-uri.ts'
import { appPage, continuePage } from '../pages/continue-page.ts'
import {
  FRAGMENT_SCRIPTS,
  type FragmentPage,
  onwardPage,
  restoreFragmentPage,
  saveFragmentPage,
} from '../pages/fragment.ts'
import { pageHeaders } from '../pages/styles.ts'
import type { ClientInteraction } from './interaction.ts'

/** The redirect of an interaction: verified before it was sealed. */
export function redirectOf(interaction: ClientInteraction): Omit<VerifiedRedirect, 'trusted'> {
  return {
    redirectUri: interaction.redirectUri,
    ...(interaction.state !== undefined && { state: interaction.state }),
  }
}

/** The client's redirect URI with the answer on it. */
export function answerUrl(
  redirect: Omit<VerifiedRedirect, 'trusted'>,
  issuer: string,
  answer: { code: string } | { error: string; error_description: string },
): string {
  return withParameters(redirect.redirectUri, { ...answer, state: redirect.state, iss: issuer })
}

/**
 * Sends the browser on: by a redirect (303: a form posted here is never posted there, OAuth 2.1 section 7.5.4), or to an
 * app by a page with a link (decision K10).
 *
 * A browser's form that leads to another host is answered with a page that goes on by itself: many proxies add a policy
 * with `form-action 'self'` to their whole site, and Chromium applies it to the redirects after a form (decision K41).
 * @param options `allowed`: true if the client gets what it asked for
 */
export function sendOn(
  reply: FastifyReply,
  location: string,
  { allowed = false }: { readonly allowed?: boolean } = {},
): void {
  const isElsewhere = /^https?:/i.test(location)
  if (isElsewhere && isBrowserForm(reply.request)) {
    sendContinuePage(reply, location, `Continue to ${destinationInWords(location)}`)
    return
  }
  if (isElsewhere || location.startsWith('/')) {
    void reply
      .header('cache-control', 'no-store')
      .header('referrer-policy', 'no-referrer')
      .redirect(location, reply.request.method === 'POST' ? 303 : 302)
    return
  }
  const label = `Open ${destinationName(location)}`
  void reply
    .headers(pageHeaders({ navigatesAway: true }))
    .send(appPage({ to: location, label, allowed }))
}

/** Sends a page that goes on by itself, so that no redirect chain follows the POST of the form. */
export function sendContinuePage(reply: FastifyReply, to: string, label: string): void {
  void reply.headers(pageHeaders({ navigatesAway: true })).send(continuePage({ to, label }))
}

/** Sends the page that keeps the address's fragment in this tab, before the provider's page loses it. */
export function saveFragment(reply: FastifyReply, page: FragmentPage): void {
  sendWithScript(reply, FRAGMENT_SCRIPTS.save, saveFragmentPage(page))
}

/** Sends the page that leads on with the fragment that {@link saveFragment} kept. */
export function restoreFragment(reply: FastifyReply, page: FragmentPage): void {
  sendWithScript(reply, FRAGMENT_SCRIPTS.restore, restoreFragmentPage(page))
}

/** {@link sendOn} to a page of a protected server, with the fragment of the address that the browser shows. */
export function sendOnToPage(reply: FastifyReply, to: string): void {
  if (!isBrowserForm(reply.request)) {
    sendOn(reply, to)
    return
  }
  sendWithScript(reply, FRAGMENT_SCRIPTS.onward, onwardPage({ to }))
}

function sendWithScript(reply: FastifyReply, script: string, page: string): void {
  void reply.headers(pageHeaders({ navigatesAway: true, scripts: [script] })).send(page)
}

/**
 * Answers an error of the authorization endpoint: to the client if its redirect is trusted, else to the person, with
 * a link that names its destination (decision K10, threat T15).
 */
export function answerAuthorizationError(
  error: AuthorizationError,
  reply: FastifyReply,
  issuer: string,
): void {
  const location = answerUrl(error.redirect, issuer, {
    error: error.code,
    error_description: error.description,
  })
  reply.request.report({
    event: 'request-refused',
    reason: error.description,
    error: error.code,
    method: reply.request.method,
  })
  if (error.redirect.trusted) {
    sendOn(reply, location)
    return
  }
  sendErrorPage(
    reply,
    400,
    {
      kind: 'client',
      title: 'This program is set up wrongly',
      text: 'The program that sent you here asked for something this server cannot give it. Nothing was shared with it.',
      details: error.description,
      actions: [
        { label: `Back to ${destinationInWords(error.redirect.redirectUri)}`, href: location },
      ],
    },
    { navigatesAway: true },
  )
}
