/** RFC 9207: Authorization Server Issuer Identification. */
import type { LightMyRequestResponse } from 'fastify'
import { beforeEach, describe, expect, it } from 'vitest'
import { createBrowser, hiddenField } from '../support/browser.ts'
import { buildTestApp, type TestApp } from '../support/build-app.ts'
import { authorizeUrl, type RegisteredClient, register, signIn } from '../support/oauth-client.ts'
import { serverMetadata } from './wire.ts'

let gateway: TestApp
let client: RegisteredClient
beforeEach(async () => {
  gateway = await buildTestApp()
  client = await register(gateway.app)
})

/** The ways in which an authorization response is made. */
const RESPONSES: [string, () => Promise<LightMyRequestResponse>][] = [
  ['a success', () => signIn(createBrowser(gateway.app), authorizeUrl(client))],
  [
    'an error of the request',
    () => createBrowser(gateway.app).get(authorizeUrl(client, { response_type: 'token' })),
  ],
  [
    'the refusal of the person',
    async () => {
      const browser = createBrowser(gateway.app)
      const interaction = hiddenField((await browser.get(authorizeUrl(client))).body, 'interaction')
      return browser.post('/consent', { interaction, decision: 'deny' })
    },
  ],
]

describe('section 2: iss is in the authorization response, exactly once, when it is', () => {
  it.each(RESPONSES)('%s', async (_what, respond) => {
    const location = new URL(String((await respond()).headers.location))
    expect(location.searchParams.getAll('iss')).toHaveLength(1)
  })
})

it.each(RESPONSES)(
  'section 2.4: a client that compares iss with the metadata by its bytes finds them equal in %s',
  async (_what, respond) => {
    const location = new URL(String((await respond()).headers.location))
    const { issuer } = await serverMetadata(gateway.app)
    expect(location.searchParams.get('iss')).toBe(issuer)
  },
)

it('section 3: the metadata says that it comes', async () => {
  const metadata = await serverMetadata(gateway.app)
  expect(metadata.authorization_response_iss_parameter_supported).toBe(true)
})
