/**
 * Sign-in at `oidc-provider`, which the OpenID Foundation certified: the peer is as strict as the standard, whatever we believe
 * of it.
 */
import { expect, it } from 'vitest'
import { createBrowser, refreshTarget } from '../support/browser.ts'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { CALLBACK, type Peer, startPeer } from '../support/certified-peer.ts'
import { anHourAgo } from '../support/later.ts'
import { authorizeUrl, check, codeOf, redeem, register } from '../support/oauth-client.ts'
import { approve, isFailedSignIn } from '../support/provider-journey.ts'

const resources = [resource({ allow: ANYONE })]

/** Signs ann in there for a client of ours, up to our answer to her browser. */
async function signIn({ config, signIn }: Peer, changes: Partial<Peer['config']> = {}) {
  const test = await buildTestApp({ users: [], resources, provider: { ...config, ...changes } })
  const client = await register(test.app)
  const browser = createBrowser(test.app)
  const approved = await approve(browser, authorizeUrl(client))
  const answer = await browser.get(await signIn(refreshTarget(approved.body)))
  return { ...test, client, browser, answer }
}

async function headersOf({ app, client, answer }: Awaited<ReturnType<typeof signIn>>) {
  const { access_token } = (await redeem(app, client, codeOf(answer))).json()
  return (await check(app, { authorization: `Bearer ${access_token}` })).headers
}

it.each([
  ['RS256', 'client_secret_basic'],
  ['ES256', 'client_secret_post'],
  ['EdDSA', 'client_secret_basic'],
])('lets ann in with an ID token that is signed with %s, and %s', async (algorithm, method) => {
  const peer = await startPeer({
    id_token_signed_response_alg: algorithm,
    token_endpoint_auth_method: method,
  })
  // The person is in userinfo alone, as the standard wants it where there is an access token.
  expect(await headersOf(await signIn(peer))).toMatchObject({
    'x-forwarded-user': 'ann@example.com',
    'x-forwarded-email': 'ann@example.com',
    'x-forwarded-groups': 'staff,cooks',
    'x-user-name': 'Ann Adams',
  })
})

it('takes requests to sign in that were pushed before, where nothing else is taken', async () => {
  const peer = await startPeer({ demandsPushedRequests: true })
  expect(await headersOf(await signIn(peer))).toMatchObject({
    'x-forwarded-user': 'ann@example.com',
  })
  expect(peer.asked('/request')).toBe(1)
})

it('T31: rotates the refresh token at each question about the person, and says no for a person who is gone', async () => {
  const peer = await startPeer()
  const later = await anHourAgo(
    { resources, provider: { ...peer.config, rechecks: true } },
    peer.signIn,
  )
  peer.person.groups = ['cooks']
  for (let hours = 0; hours < 2; hours += 1) {
    expect((await later.refresh()).statusCode).toBe(200)
    expect((await later.headers())['x-forwarded-groups']).toBe('cooks')
    later.clock.advance(3600)
  }
  peer.isGone = true
  expect((await later.refresh()).json().error).toBe('invalid_grant')
  expect(later.ended()).toEqual([expect.stringContaining('the provider refused: invalid_grant')])
})

it('signs the person out who wants to be somebody else (RP-Initiated Logout 1.0)', async () => {
  const peer = await startPeer()
  const nobody = resource({
    allow: { anyone: false, emails: ['bob@example.com'], domains: [], groups: [] },
  })
  const test = await buildTestApp({ users: [], resources: [nobody], provider: peer.config })
  const browser = createBrowser(test.app)
  const approved = await approve(browser, authorizeUrl(await register(test.app)))
  const refused = await browser.get(await peer.signIn(refreshTarget(approved.body)))
  expect(refused.statusCode).toBe(403)
  const [, href = ''] = /href="([^"]*)"[^>]*>(?:<[^>]*>)*Sign in as someone else/.exec(
    refused.body,
  ) ?? ['', '']
  const back = await peer.signOut(href.replaceAll('&amp;', '&'))
  expect(back).toMatch(`${CALLBACK}?state=`)
  const again = await browser.get(back)
  expect(again.statusCode).toBe(302)
  peer.person.email = 'bob@example.com'
  codeOf(await browser.get(await peer.signIn(String(again.headers.location))))
})

it('is refused in words where it encrypts the ID token', async () => {
  const peer = await startPeer({ isEncrypting: true })
  const { answer, logs } = await signIn(peer)
  expect(answer.headers.location).toContain('error=server_error')
  expect(logs.find(isFailedSignIn)?.reason).toContain('encrypted')
})

it('is refused in words where our client is registered for another way to authenticate', async () => {
  const peer = await startPeer({ hasKeysOnly: true })
  const { answer, logs } = await signIn(peer)
  expect(answer.headers.location).toContain('error=server_error')
  expect(logs.find(isFailedSignIn)?.reason).toContain('invalid_client')
})
