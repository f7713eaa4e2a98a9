/**
 * A device that asks for access, and the person who types its code into a browser.
 *
 * @module
 */
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { Browser } from './browser.ts'
import { postForm, type RegisteredClient, register, token } from './oauth-client.ts'
import { decide, followToLogin, typeIn } from './steps.ts'

export const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'

export interface Codes {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete: string
  readonly expires_in: number
  readonly interval: number
}

/** Registers a public client that only devices use. */
export const registerDevice = (
  app: FastifyInstance,
  metadata: Record<string, unknown> = {},
): Promise<RegisteredClient> =>
  register(app, {
    client_name: 'Test device',
    redirect_uris: undefined,
    grant_types: [DEVICE_CODE, 'refresh_token'],
    ...metadata,
  })

/** Begins a request; undefined members are left out. */
export const askAsDevice = (
  app: FastifyInstance,
  { client_id, client_secret }: RegisteredClient,
  changes: Record<string, string | undefined> = {},
  headers: Record<string, string> = {},
): Promise<LightMyRequestResponse> =>
  postForm(app, '/device_authorization', { client_id, client_secret, ...changes }, headers)

/** The codes of a request. */
export async function beginDevice(
  app: FastifyInstance,
  client: RegisteredClient,
  changes: Record<string, string | undefined> = {},
): Promise<Codes> {
  const answer = await askAsDevice(app, client, changes)
  if (answer.statusCode !== 200) throw new Error(`no codes: ${answer.body}`)
  return answer.json()
}

/** Polls once. */
export const poll = (
  app: FastifyInstance,
  { client_id, client_secret }: RegisteredClient,
  { device_code }: Pick<Codes, 'device_code'>,
  changes: Record<string, string | undefined> = {},
): Promise<LightMyRequestResponse> =>
  token(app, { grant_type: DEVICE_CODE, client_id, client_secret, device_code, ...changes })

/** Types a code into the page. */
export const typeCode = (
  browser: Browser,
  user_code: string,
  headers: Record<string, string> = {},
): Promise<LightMyRequestResponse> => browser.post('/device', { user_code }, headers)

/** Types the code, allows and signs in: by default, as ann. */
export async function approveDevice(
  browser: Browser,
  { user_code }: Pick<Codes, 'user_code'>,
  person: { name?: string; password?: string } = {},
): Promise<LightMyRequestResponse> {
  const consent = await typeCode(browser, user_code)
  return typeIn(browser, await followToLogin(browser, await decide(browser, consent)), person)
}
