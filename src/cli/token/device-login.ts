/**
 * The device grant as a client (RFC 8628): registers, asks for a code, and polls until the person has answered.
 *
 * @module
 */
import { z } from 'zod'
import { DEVICE_CODE } from '../../oauth/grants/names.ts'
import { plain } from '../answers.ts'
import type { Found } from './discovery.ts'
import { type Answer, followable, NoToken, type Requests, shaped } from './requests.ts'

const Registered = z.object({ client_id: z.string().min(1) })
const Codes = z.object({
  device_code: z.string().min(1),
  user_code: z.string().min(1),
  verification_uri: z.string(),
  verification_uri_complete: z.string().optional(),
  expires_in: z.number().positive(),
  interval: z.number().positive().optional(),
})
const Tokens = z.looseObject({ access_token: z.string().regex(/^[\x21-\x7e]+$/) })
const Refused = z.object({ error: z.string(), error_description: z.string().optional() })

/** The token response as the server sent it. */
export type Tokens = z.output<typeof Tokens>
/** The codes, and the page where the person types one of them; `filledPage` holds it already. */
export type Begun = Omit<
  z.output<typeof Codes>,
  'verification_uri' | 'verification_uri_complete'
> & { readonly page: string; readonly filledPage?: string }

/** RFC 8628 section 3.2, where the answer names no interval. */
const DEFAULT_INTERVAL = 5
const SLOWER_BY = 5
/** Seconds: a server cannot make the command wait for ever. */
const LONGEST_WAIT = 60

/**
 * Registers a public client for this one sign-in.
 * @param options `refresh`: true if the person wants a refresh token too
 * @returns its id
 */
export async function registerOnce(
  { registrationEndpoint, issuer }: Found,
  requests: Requests,
  { refresh }: { readonly refresh: boolean },
): Promise<string> {
  if (!registrationEndpoint) {
    throw new NoToken(`${issuer} lets no client register: ask its operator for a --client-id.`)
  }
  const answer = await requests.post(registrationEndpoint, {
    json: {
      client_name: 'gatewarden token',
      grant_types: [DEVICE_CODE, ...(refresh ? ['refresh_token'] : [])],
      response_types: [],
      token_endpoint_auth_method: 'none',
    },
  })
  if (answer.status >= 400) throw refusal('registering a client', answer)
  return shaped(Registered, answer, registrationEndpoint).client_id
}

/** Asks for the codes (section 3.1). @throws NoToken */
export async function begin(
  { deviceEndpoint, resource }: Found,
  requests: Requests,
  asked: { readonly clientId: string; readonly scope: string | undefined; readonly server: URL },
): Promise<Begun> {
  const form = { client_id: asked.clientId, scope: asked.scope, resource }
  const answer = await requests.post(deviceEndpoint, { form })
  if (answer.status !== 200) throw refusal('asking for a code', answer)
  const {
    verification_uri: uri,
    verification_uri_complete: complete,
    ...codes
  } = shaped(Codes, answer, deviceEndpoint)
  return {
    ...codes,
    // A terminal shows the address that a browser would open, whatever the server wrote around it.
    page: followable(uri, asked.server).href,
    ...(complete !== undefined && { filledPage: followable(complete, asked.server).href }),
  }
}

/**
 * Polls until there is an answer (sections 3.4 and 3.5).
 * @param deps `wait` resolves after so many seconds; `elapsed`: milliseconds on a clock that is never set back
 * @throws NoToken
 */
export async function pollForTokens(
  codes: Begun,
  request: { readonly clientId: string; readonly found: Found },
  deps: {
    readonly requests: Requests
    readonly wait: (seconds: number) => Promise<void>
    readonly elapsed: () => number
  },
): Promise<Tokens> {
  const { clientId, found } = request
  const form = {
    grant_type: DEVICE_CODE,
    device_code: codes.device_code,
    client_id: clientId,
    resource: found.resource,
  }
  const end = deps.elapsed() + codes.expires_in * 1000
  let interval = Math.min(codes.interval ?? DEFAULT_INTERVAL, LONGEST_WAIT)
  let pause = interval
  while (deps.elapsed() < end) {
    await deps.wait(pause)
    pause = interval
    const answer = await deps.requests
      .post(found.tokenEndpoint, { form })
      .catch((error: unknown) => {
        // Section 3.5: a lost connection is no answer. The next poll may find one.
        if (error instanceof NoToken) return undefined
        throw error
      })
    if (answer?.status === 200) return shaped(Tokens, answer, found.tokenEndpoint)
    if (!answer || answer.status === 429 || answer.status >= 500) {
      const retryAfter = Number(answer?.headers.get('retry-after') ?? 0)
      pause = Math.min(Math.max(interval, retryAfter || 0), LONGEST_WAIT)
      continue
    }
    switch (errorOf(answer)) {
      case 'authorization_pending':
        break
      case 'slow_down':
        interval += SLOWER_BY
        pause = interval
        break
      case 'access_denied':
        throw new NoToken('The request was denied in the browser.')
      case 'expired_token':
        throw expired()
      default:
        throw refusal('asking for the token', answer)
    }
  }
  throw expired()
}

const expired = () =>
  new NoToken('The code has expired, and nobody answered. Run the command again.')

const errorOf = ({ json }: Answer) => {
  const refused = Refused.safeParse(json)
  return refused.success ? refused.data.error : undefined
}

function refusal(step: string, { status, json }: Answer): NoToken {
  const refused = Refused.safeParse(json)
  const said = refused.success
    ? [refused.data.error, refused.data.error_description].filter(Boolean).join(': ')
    : `status ${status}`
  return new NoToken(`${step} failed: ${plain(said)}`)
}
