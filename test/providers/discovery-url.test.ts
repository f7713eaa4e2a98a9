import { describe, expect, it } from 'vitest'
import { createBrowser, refreshTarget } from '../support/browser.ts'
import { ANYONE, resource } from '../support/build-app.ts'
import { type HostileProvider, startHostileProvider } from '../support/hostile-provider.ts'
import { check, codeOf } from '../support/oauth-client.ts'
import {
  approve,
  asking,
  isFailedSignIn,
  type Journey,
  startJourney,
} from '../support/provider-journey.ts'

/** The issuer as people and tokens know it; nothing answers there. */
const PUBLIC = 'https://id.example.test/realms/x'

/** Everything public is at {@link PUBLIC}, everything for us at the inner address. */
function speakPublicly(provider: HostileProvider, authorization = `${PUBLIC}/authorize`): void {
  provider.lies = {
    discovery: (it) => Object.assign(it, { issuer: PUBLIC, authorization_endpoint: authorization }),
    claims: (it) => Object.assign(it, { iss: PUBLIC }),
    redirect: (it) => it.set('iss', PUBLIC),
    introspection: (it) => Object.assign(it, { iss: PUBLIC }),
  }
}

async function start(
  changes: Parameters<typeof startJourney>[0] = {},
  issuerUrl = PUBLIC,
): Promise<Journey> {
  const provider = await startHostileProvider()
  speakPublicly(provider)
  const discoveryUrl = `${provider.issuer}/.well-known/openid-configuration`
  return startJourney(
    { provider: { ...provider.config, issuerUrl, discoveryUrl }, ...changes },
    provider,
  )
}

/** The address that the browser is sent to, and the one at which this test reaches it. */
async function sentTo(journey: Journey, browser = createBrowser(journey.app)) {
  const url = refreshTarget((await approve(browser, asking(journey))).body)
  return { url, inner: url.replace(PUBLIC, journey.provider.issuer) }
}

async function reasonOf(journey: Journey): Promise<unknown> {
  await approve(createBrowser(journey.app), asking(journey))
  return journey.logs.findLast(isFailedSignIn)?.reason
}

describe('ed2: DISCOVERY_URL beside ISSUER_URL', () => {
  it('reads the document inside, and sends browsers to the public address', async () => {
    const journey = await start()
    const browser = createBrowser(journey.app)
    const { url, inner } = await sentTo(journey, browser)
    expect(url).toMatch(/^https:\/\/id\.example\.test\/realms\/x\/authorize\?/)
    codeOf(await browser.get(await journey.provider.signIn(inner)))
    expect(journey.provider.asked('/token')).toBe(1)
  })

  it('does not make an ID token of the inner address good', async () => {
    const journey = await start()
    journey.provider.lies.claims = (it) => Object.assign(it, { iss: journey.provider.issuer })
    const browser = createBrowser(journey.app)
    const { inner } = await sentTo(journey, browser)
    const answer = await browser.get(await journey.provider.signIn(inner))
    expect(String(answer.headers.location)).toContain('error=server_error')
  })

  it("judges the provider's own tokens by the public issuer, at inner keys and introspection", async () => {
    const journey = await start({
      resources: [resource({ allow: ANYONE, acceptProviderTokens: true })],
    })
    const { provider, app, clock } = journey
    const now = Math.floor(clock() / 1000)
    const claims = { azp: 'gatewarden', typ: 'Bearer', iat: now, exp: now + 60, ...provider.person }
    const statusOf = async (token: string) =>
      (await check(app, { authorization: `Bearer ${token}` })).statusCode
    expect(await statusOf(await provider.signToken({ iss: PUBLIC, ...claims }))).toBe(200)
    expect(await statusOf(await provider.signToken({ iss: provider.issuer, ...claims }))).toBe(401)
    provider.introspected.set('opaque-token', claims)
    expect(await statusOf('opaque-token')).toBe(200)
  })

  it('names both issuers when the document is for another one', async () => {
    const journey = await start({}, 'https://login.example.test/realms/y')
    expect(await reasonOf(journey)).toBe(
      `the discovery document is for another issuer: ${PUBLIC}, and ISSUER_URL is https://login.example.test/realms/y`,
    )
  })

  it.each([
    ['http://kc:8080/authorize', false],
    ['http://10.0.0.7/authorize', false],
    ['http://localhost.example.test/authorize', false],
    ['http://127.0.0.1.example.test/authorize', false],
    ['http://localhost:8080/authorize', true],
    ['http://[::1]:8080/authorize', true],
    ['https://login.example.test/authorize', true],
  ])('a browser that would go to %s: %s', async (authorization, isSent) => {
    const journey = await start()
    speakPublicly(journey.provider, authorization)
    if (isSent) {
      const { url } = await sentTo(journey)
      expect(url.startsWith(`${authorization}?`)).toBe(true)
    } else {
      expect(await reasonOf(journey)).toBe(
        'the authorization_endpoint of the discovery document is plain http, and browsers go there: it must be https',
      )
    }
  })

  it('over loopback does not let the secret go over a network in plain http', async () => {
    const journey = await start()
    const { provider } = journey
    const { discovery } = provider.lies
    provider.lies.discovery = (it) => {
      discovery?.(it)
      it.token_endpoint = 'http://kc.example.test:8080/token'
    }
    const browser = createBrowser(journey.app)
    const { inner } = await sentTo(journey, browser)
    await browser.get(await provider.signIn(inner))
    expect(journey.logs.findLast(isFailedSignIn)?.reason).toBe(
      'the discovery document has no usable token_endpoint',
    )
  })
})
