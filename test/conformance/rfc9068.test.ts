/** RFC 9068: JWT Profile for OAuth 2.0 Access Tokens. */
import { createHmac } from 'node:crypto'
import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  exportSPKI,
  importJWK,
  jwtVerify,
} from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import {
  check,
  obtainTokens,
  RESOURCE,
  type RegisteredClient,
  type Tokens,
} from '../support/oauth-client.ts'
import { challengeOf, fetchFrom, ISSUER, serverMetadata } from './wire.ts'

let gateway: TestApp
let client: RegisteredClient
let tokens: Tokens
beforeEach(async () => {
  gateway = await buildTestApp()
  ;({ client, tokens } = await obtainTokens(gateway.app))
})

async function publishedKeys() {
  return (await fetchFrom(gateway.app, (await serverMetadata(gateway.app)).jwks_uri)).json()
}

async function expectRefused(token: string, app = gateway.app): Promise<void> {
  const answer = await check(app, { authorization: `Bearer ${token}` })
  expect(answer.statusCode).toBe(401)
  expect(challengeOf(answer).parameters.error).toBe('invalid_token')
}

it('section 2.1: the header says at+jwt and a signing algorithm that is not none', () => {
  expect(decodeProtectedHeader(tokens.access_token)).toMatchObject({ typ: 'at+jwt', alg: 'ES256' })
})

describe('section 2.2: the token says', () => {
  it.each(['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'])('%s', (claim) => {
    expect(decodeJwt(tokens.access_token)).toHaveProperty(claim)
  })
})

it('section 2.2: iss is the issuer of the metadata, client_id that of the client', async () => {
  expect(decodeJwt(tokens.access_token)).toMatchObject({
    iss: (await serverMetadata(gateway.app)).issuer,
    client_id: client.client_id,
  })
})

it('section 2.2: exp is where expires_in says', () => {
  const { iat = 0, exp = 0 } = decodeJwt(tokens.access_token)
  expect(exp - iat).toBe(tokens.expires_in)
})

it('section 2.2.3: scope is the scope of the token response', () => {
  expect(decodeJwt(tokens.access_token).scope).toBe(tokens.scope)
})

it('section 3: aud is the resource of the request', () => {
  expect(decodeJwt(tokens.access_token).aud).toBe(RESOURCE)
})

it('section 4: anybody with the published keys can verify it', async () => {
  const { payload } = await jwtVerify(
    tokens.access_token,
    createLocalJWKSet(await publishedKeys()),
    {
      issuer: ISSUER,
      audience: RESOURCE,
      typ: 'at+jwt',
      algorithms: ['ES256'],
      currentDate: new Date(gateway.clock()),
    },
  )
  expect(payload.sub).toBeTypeOf('string')
})

describe('section 4: a token is refused', () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

  it('without a signature, by the algorithm none', async () => {
    const [, payload] = tokens.access_token.split('.')
    await expectRefused(`${part({ alg: 'none', typ: 'at+jwt' })}.${payload}.`)
  })

  it('with a claim changed after it was signed', async () => {
    const [header, , signature] = tokens.access_token.split('.')
    const claims = { ...decodeJwt(tokens.access_token), scope: 'mcp admin' }
    await expectRefused(`${header}.${part(claims)}.${signature}`)
  })

  it('with the public key as the secret of a symmetric algorithm', async () => {
    const [jwk] = (await publishedKeys()).keys
    const key = await importJWK(jwk, 'ES256', { extractable: true })
    if (key instanceof Uint8Array) throw new Error('a public key cannot be symmetric')
    const [, payload] = tokens.access_token.split('.')
    const signed = `${part({ alg: 'HS256', typ: 'at+jwt', kid: jwk.kid })}.${payload}`
    const mac = createHmac('sha256', await exportSPKI(key))
      .update(signed)
      .digest('base64url')
    await expectRefused(`${signed}.${mac}`)
  })

  it('from another issuer, even with the same keys', async () => {
    const moved = await gateway.restart({
      publicUrl: { origin: 'https://login.example.com', host: 'login.example.com', secure: true },
    })
    await expectRefused(tokens.access_token, moved.app)
  })

  it('for another audience', async () => {
    const renamed = await gateway.restart({
      resources: [resource({ url: 'https://mcp.example.com/notes' })],
    })
    await expectRefused(tokens.access_token, renamed.app)
  })

  it('once it has expired', async () => {
    gateway.clock.advance(tokens.expires_in)
    await expectRefused(tokens.access_token)
  })
})

it('section 6: it holds nothing about the person that could be read by the wrong one', () => {
  const claims = JSON.stringify(decodeJwt(tokens.access_token))
  for (const personal of ['ann', 'Ann Adams', 'ann@example.com', 'staff']) {
    expect(claims).not.toContain(`"${personal}"`)
  }
})
