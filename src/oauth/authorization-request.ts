/**
 * `src/oauth/` owns the rules of the OAuth protocol, one file each. It owns no page and knows no person: `src/login/`
 * does.
 *
 * This file judges an authorization request in two phases (RFC 9700 section 4.11.2): until client and redirect URI are
 * verified, nothing may be redirected; after that, every error carries the verified redirect.
 *
 * @module
 */

import {
  AuthorizationError,
  OAuthError,
  type OAuthErrorCode,
  PageError,
  type VerifiedRedirect,
} from '../errors.ts'
import { DocumentUnavailable } from '../outbound/document-fetch.ts'
import type { SignInWishes } from '../providers/provider.ts'
import type { Resource, ResourceTable } from '../resources/resource-table.ts'
import { type Parameters, required, several, single } from '../url/parameters.ts'
import type { Client } from './clients/client.ts'
import type { Clients } from './clients/clients.ts'
import { parseChallenge } from './pkce.ts'
import {
  asConfigured,
  isLoopback,
  type RedirectRules,
  redirectUriProblem,
  sameRedirectUri,
} from './redirect-uri.ts'
import { requireAllowedResource, resolveResource } from './resource-indicator.ts'
import { asksOnlyUnknown, grantedScopes, limitedScopes, parseScope } from './scope.ts'
import { parseWishes } from './sign-in-wishes.ts'

/** Our own parameter: the protected host that the request was sent to before it was sent on to the gateway's. */
export const ASKED_HOST = 'gw_host'

/** An authorization request that a person may be asked to approve. */
export interface AuthorizationRequest {
  readonly client: Client
  readonly redirect: VerifiedRedirect
  readonly codeChallenge: string
  readonly resource: Resource
  readonly scopes: readonly string[]
  readonly wishes: SignInWishes
  /** The requested scopes, where the resource has none of them. */
  readonly unknownScopes?: readonly string[]
}

interface Deps {
  readonly clients: Clients
  readonly resources: ResourceTable
  readonly redirectRules: RedirectRules
  /** The address of the person's browser, for limits. */
  readonly address: string
}

/**
 * Parses an authorization request.
 * @throws PageError until the redirect is verified, AuthorizationError afterwards
 */
export async function parseAuthorizationRequest(
  parameters: Parameters,
  deps: Deps,
): Promise<AuthorizationRequest> {
  const { client, redirectUri } = await verifyRedirect(parameters, deps)
  const redirect: VerifiedRedirect = {
    redirectUri,
    trusted: client.configured || isLoopback(redirectUri),
    ...stateOf(parameters),
  }
  try {
    single(parameters, 'state')
    if (required(parameters, 'response_type') !== 'code') {
      throw new OAuthError('unsupported_response_type', 'response_type must be code')
    }
    const responseMode = single(parameters, 'response_mode')
    if (responseMode !== undefined && responseMode !== 'query') {
      throw new OAuthError('invalid_request', 'response_mode must be query')
    }
    const codeChallenge = parseChallenge(
      single(parameters, 'code_challenge'),
      single(parameters, 'code_challenge_method'),
    )
    const requested = parseScope(single(parameters, 'scope'))
    const resource = resolveResource(several(parameters, 'resource'), deps.resources, {
      host: single(parameters, ASKED_HOST),
      scopes: requested,
    })
    requireAllowedResource(client, resource)
    await resource.freshScopes()
    const scopes = limitedScopes(grantedScopes(requested, resource), client.scopes, resource)
    const wishes = parseWishes(parameters)
    const unknown = asksOnlyUnknown(requested, resource) && { unknownScopes: requested }
    return { client, redirect, codeChallenge, resource, scopes, wishes, ...unknown }
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    throw new AuthorizationError(error.code, error.description, redirect)
  }
}

/** The `state` to send back. A repeated state is left out: it is not a single value. */
function stateOf(parameters: Parameters): { state?: string } {
  const values = parameters.get('state') ?? []
  const [state] = values
  return state !== undefined && state !== '' && values.length === 1 ? { state } : {}
}

async function verifyRedirect(
  parameters: Parameters,
  deps: Deps,
): Promise<{ client: Client; redirectUri: string }> {
  try {
    const clientId = single(parameters, 'client_id')
    const requested = single(parameters, 'redirect_uri')
    const client =
      clientId === undefined ? undefined : await deps.clients.find(clientId, deps.address)
    if (!client) throw new OAuthError('invalid_client', 'client_id is missing or unknown')
    if (!client.grantTypes.includes('authorization_code')) {
      throw new OAuthError('unauthorized_client', 'the client does not use authorization_code')
    }
    const only = client.redirectUris.length === 1 ? client.redirectUris[0] : undefined
    // OAuth 2.1 section 4.1.1: redirect_uri may be left out when exactly one is registered.
    const redirectUri = requested ?? only
    if (redirectUri === undefined) {
      throw new OAuthError('invalid_request', 'redirect_uri is missing')
    }
    const registered = client.redirectUris.some((uri) => sameRedirectUri(redirectUri, uri))
    // Judged again: the port of a loopback URI is known only now, and settings change.
    const rules = client.configured ? asConfigured(deps.redirectRules) : deps.redirectRules
    if (!registered || redirectUriProblem(redirectUri, rules) !== undefined) {
      throw new OAuthError('invalid_request', 'redirect_uri is not registered for this program')
    }
    return { client, redirectUri }
  } catch (error) {
    if (error instanceof DocumentUnavailable) throw undescribed()
    if (!(error instanceof OAuthError)) throw error
    throw misconfigured(error.code, error.description)
  }
}

/** The reason stays in the log: here it would tell a stranger which addresses of our network answer (threat T9). */
function undescribed(): PageError {
  return new PageError({
    kind: 'retry',
    status: 503,
    title: 'This program cannot be checked right now',
    text: 'A program of this kind publishes a description of itself, and this server could not read it just now. Wait a minute, then start again from the program. Nothing was shared.',
    details:
      'the client metadata document could not be fetched: its URL must answer 200 with JSON of at most 5 kB, without a redirect',
  })
}

function misconfigured(code: OAuthErrorCode, description: string): PageError {
  return new PageError({
    kind: 'client',
    title: 'This program is set up wrongly',
    text:
      code === 'invalid_client'
        ? 'This server does not know the program that sent you here. Go back to the program and start again; you may have to connect it anew.'
        : 'The program that sent you here asked for something that this server cannot do safely. Nothing was shared with the program.',
    details: description,
  })
}
