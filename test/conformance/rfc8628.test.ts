/** RFC 8628: OAuth 2.0 Device Authorization Grant. */
import type { LightMyRequestResponse } from 'fastify'
import { beforeEach, describe, expect, it } from 'vitest'
import { createBrowser } from '../support/browser.ts'
import { buildTestApp, type TestApp } from '../support/build-app.ts'
import {
  approveDevice,
  askAsDevice,
  beginDevice,
  DEVICE_CODE,
  poll,
  registerDevice,
  typeCode,
} from '../support/device.ts'
import {
  check,
  postForm,
  type RegisteredClient,
  refresh,
  register,
  token,
} from '../support/oauth-client.ts'
import { decide, expectConsent } from '../support/steps.ts'
import { serverMetadata } from './wire.ts'

let gateway: TestApp
let client: RegisteredClient
beforeEach(async () => {
  gateway = await buildTestApp()
  client = await registerDevice(gateway.app)
})

function expectError(answer: LightMyRequestResponse, error: string, status = 400): void {
  expect(answer.json()).toEqual({ error, error_description: expect.any(String) })
  expect(answer.statusCode).toBe(status)
  expect(answer.headers['cache-control']).toBe('no-store')
}

describe('section 3.1: the device authorization request', () => {
  it('is a form, and anything else is refused', async () => {
    const answer = await gateway.app.inject({
      method: 'POST',
      url: '/device_authorization',
      payload: { client_id: client.client_id },
    })
    expect(answer.statusCode).toBe(415)
    expect((await gateway.app.inject({ url: '/device_authorization' })).statusCode).toBe(405)
  })

  it('of a client that is unknown is refused', async () => {
    expectError(await askAsDevice(gateway.app, { client_id: 'nobody' }), 'invalid_client', 401)
  })

  it('of a client with a secret needs that secret', async () => {
    const confidential = await registerDevice(gateway.app, {
      token_endpoint_auth_method: 'client_secret_post',
    })
    expect((await askAsDevice(gateway.app, confidential)).statusCode).toBe(200)
    const { client_id } = confidential
    expectError(await askAsDevice(gateway.app, { client_id }), 'invalid_client', 401)
  })

  it('with a parameter twice is refused, and parameters that are not known change nothing', async () => {
    const form = (payload: string) =>
      gateway.app.inject({
        method: 'POST',
        url: '/device_authorization',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload,
      })
    const id = `client_id=${encodeURIComponent(client.client_id)}`
    expectError(await form(`${id}&scope=mcp&scope=mcp`), 'invalid_request')
    expect((await form(`${id}&audience=x`)).statusCode).toBe(200)
  })

  it('of a client that did not ask for the grant is refused', async () => {
    const browserClient = await register(gateway.app)
    expectError(await askAsDevice(gateway.app, browserClient), 'unauthorized_client')
  })
})

describe('section 3.2: the device authorization response', () => {
  it('has the codes, where to go with them, how long they last and how often to ask', async () => {
    const answer = await askAsDevice(gateway.app, client)
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.headers['cache-control']).toBe('no-store')
    const { user_code } = answer.json()
    expect(answer.json()).toEqual({
      device_code: expect.stringMatching(/^[\w.-]{80,}$/),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: 'https://auth.example.com/device',
      verification_uri_complete: `https://auth.example.com/device?user_code=${user_code}`,
      expires_in: 600,
      interval: 5,
    })
  })

  it('never has the same codes twice', async () => {
    const codes = await Promise.all(
      Array.from({ length: 20 }, () => beginDevice(gateway.app, client)),
    )
    expect(new Set(codes.map(({ user_code }) => user_code)).size).toBe(20)
    expect(new Set(codes.map(({ device_code }) => device_code)).size).toBe(20)
  })
})

describe('section 3.3: the person', () => {
  it('types the code on the verification page, allows, signs in, and reads that the device goes on', async () => {
    const codes = await beginDevice(gateway.app, client)
    const browser = createBrowser(gateway.app)
    const page = await browser.get(codes.verification_uri, { 'sec-fetch-site': 'none' })
    expect(page.statusCode).toBe(200)
    expect(page.body).toContain('name="user_code"')
    const done = await approveDevice(browser, codes)
    expect(done.statusCode).toBe(303)
    const last = await browser.get(String(done.headers.location))
    expect(last.body).toContain('Your device is connected')
  })

  it('denies, and nothing was shared', async () => {
    const codes = await beginDevice(gateway.app, client)
    const browser = createBrowser(gateway.app)
    const denied = await decide(browser, await typeCode(browser, codes.user_code), 'deny')
    const last = await browser.get(String(denied.headers.location))
    expect(last.body).toContain('Nothing was shared')
    expectError(await poll(gateway.app, client, codes), 'access_denied')
  })
})

describe('section 3.3.1: the address with the code', () => {
  it('fills the form in, and still shows the code for comparison and waits for the person', async () => {
    const codes = await beginDevice(gateway.app, client)
    const browser = createBrowser(gateway.app)
    const page = await browser.get(codes.verification_uri_complete)
    expect(page.body).toContain(`value="${codes.user_code}"`)
    expect(page.body).not.toMatch(/http-equiv="refresh"|<script/)
    const consent = await typeCode(browser, codes.user_code)
    expectConsent(consent)
    expect(consent.body).toContain(codes.user_code)
  })
})

describe('section 3.4: the token request', () => {
  it('gets tokens once the person has allowed it', async () => {
    const codes = await beginDevice(gateway.app, client)
    await approveDevice(createBrowser(gateway.app), codes)
    const answer = await poll(gateway.app, client, codes)
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'mcp',
      refresh_token: expect.any(String),
    })
    const { access_token, refresh_token } = answer.json()
    const checked = await check(gateway.app, { authorization: `Bearer ${access_token}` })
    expect(checked.headers['x-forwarded-user']).toBe('ann@example.com')
    expect((await refresh(gateway.app, client, refresh_token)).statusCode).toBe(200)
  })

  it('without a device code is refused', async () => {
    expectError(
      await poll(gateway.app, client, { device_code: '' }, { device_code: undefined }),
      'invalid_request',
    )
  })

  it('without a client is refused, and so is another client, which ends nothing', async () => {
    const codes = await beginDevice(gateway.app, client)
    await approveDevice(createBrowser(gateway.app), codes)
    const { device_code } = codes
    const anonymous = { grant_type: DEVICE_CODE, device_code }
    expectError(await token(gateway.app, anonymous), 'invalid_client', 401)
    const other = await registerDevice(gateway.app)
    expectError(await poll(gateway.app, other, codes), 'invalid_grant')
    expect((await poll(gateway.app, client, codes)).statusCode).toBe(200)
  })
})

describe('section 3.5: the token response', () => {
  it('is authorization_pending until the person answers', async () => {
    const codes = await beginDevice(gateway.app, client)
    expectError(await poll(gateway.app, client, codes), 'authorization_pending')
    gateway.clock.advance(5)
    expectError(await poll(gateway.app, client, codes), 'authorization_pending')
  })

  it('is slow_down for a poll that comes too early, and the interval is 5 seconds longer from then on', async () => {
    const codes = await beginDevice(gateway.app, client)
    await poll(gateway.app, client, codes)
    gateway.clock.advance(2)
    expectError(await poll(gateway.app, client, codes), 'slow_down')
    gateway.clock.advance(6)
    expectError(await poll(gateway.app, client, codes), 'slow_down')
    gateway.clock.advance(15)
    expectError(await poll(gateway.app, client, codes), 'authorization_pending')
    gateway.clock.advance(10)
    expectError(await poll(gateway.app, client, codes), 'slow_down')
  })

  it('is tokens at once for a device that was told to slow down, when the person has answered', async () => {
    const codes = await beginDevice(gateway.app, client)
    await poll(gateway.app, client, codes)
    await poll(gateway.app, client, codes)
    await approveDevice(createBrowser(gateway.app), codes)
    expect((await poll(gateway.app, client, codes)).statusCode).toBe(200)
  })

  it('is expired_token after expires_in, whether the person came too late or not at all', async () => {
    const unanswered = await beginDevice(gateway.app, client)
    const approved = await beginDevice(gateway.app, client)
    await approveDevice(createBrowser(gateway.app), approved)
    gateway.clock.advance(600)
    expectError(await poll(gateway.app, client, unanswered), 'expired_token')
    expectError(await poll(gateway.app, client, approved), 'expired_token')
  })

  it('is invalid_grant for a code that we never gave', async () => {
    const { device_code } = await beginDevice(gateway.app, client)
    for (const made of [
      'x',
      `${device_code}x`,
      device_code.replace(/^../, 'AA'),
      `x${device_code}`,
    ]) {
      expectError(await poll(gateway.app, client, { device_code: made }), 'invalid_grant')
    }
  })

  it('is invalid_grant once the code was redeemed, and the first tokens stay good', async () => {
    const codes = await beginDevice(gateway.app, client)
    await approveDevice(createBrowser(gateway.app), codes)
    const { access_token } = (await poll(gateway.app, client, codes)).json()
    expectError(await poll(gateway.app, client, codes), 'invalid_grant')
    gateway.clock.advance(61)
    expectError(await poll(gateway.app, client, codes), 'invalid_grant')
    const checked = await check(gateway.app, { authorization: `Bearer ${access_token}` })
    expect(checked.statusCode).toBe(200)
  })
})

describe('section 4: the metadata', () => {
  it('names the endpoint and the grant', async () => {
    expect(await serverMetadata(gateway.app)).toMatchObject({
      device_authorization_endpoint: 'https://auth.example.com/device_authorization',
      grant_types_supported: expect.arrayContaining([DEVICE_CODE]),
    })
  })

  it('names neither where no client can use them', async () => {
    const { app } = await buildTestApp({ registration: ['claude.ai'] })
    const metadata = await serverMetadata(app)
    expect(metadata).not.toHaveProperty('device_authorization_endpoint')
    expect(metadata.grant_types_supported).not.toContain(DEVICE_CODE)
  })
})

describe('section 5: security', () => {
  it('5.1: guesses of user codes from one address are stopped', async () => {
    const browser = createBrowser(gateway.app)
    for (let tries = 0; tries < 20; tries += 1) {
      expect((await typeCode(browser, 'BBBB-BBBB')).statusCode).toBe(400)
    }
    const answer = await typeCode(browser, 'BBBB-BBBB')
    expect(answer.statusCode).toBe(429)
    expect(answer.headers['retry-after']).toBe('600')
  })

  it('5.4: the consent page shows the code, and warns of those who send codes', async () => {
    const codes = await beginDevice(gateway.app, client)
    const { body } = await typeCode(createBrowser(gateway.app), codes.user_code)
    expect(body).toContain('Test device')
    expect(body).toContain('Nobody has checked this name')
    expect(body).toContain('the device that shows this code')
    expect(body).toContain(codes.user_code)
    expect(body).toContain('Go on only if you started this yourself')
    expect(body).toContain('If somebody sent you the code or a link, choose Deny')
  })
})

describe('section 6.1: the user code', () => {
  it.each([
    ['in small letters', (code: string) => code.toLowerCase()],
    ['without its hyphen', (code: string) => code.replace('-', '')],
    ['with other punctuation and spaces', (code: string) => ` ${[...code].join(' . ')} `],
  ])('is taken %s', async (_how, typed) => {
    const { user_code } = await beginDevice(gateway.app, client)
    expectConsent(await typeCode(createBrowser(gateway.app), typed(user_code)))
  })
})

describe('registration (RFC 7591)', () => {
  it('gives the grant to a client that asks for it, without redirect URIs', async () => {
    expect(await registerDevice(gateway.app)).toMatchObject({
      grant_types: ['refresh_token', DEVICE_CODE],
      redirect_uris: [],
      response_types: [],
    })
  })

  it('gives it beside the code grant, and to no client that does not ask', async () => {
    const grant_types = ['authorization_code', 'refresh_token', DEVICE_CODE]
    expect(await register(gateway.app, { grant_types })).toMatchObject({
      grant_types,
      response_types: ['code'],
    })
    expect(await register(gateway.app)).toMatchObject({
      grant_types: ['authorization_code', 'refresh_token'],
    })
  })
})

it('is answered for browsers of any origin', async () => {
  const answer = await postForm(gateway.app, '/device_authorization', client_id(), {
    origin: 'https://app.example',
  })
  expect(answer.headers['access-control-allow-origin']).toBe('*')
})

const client_id = () => ({ client_id: client.client_id })
