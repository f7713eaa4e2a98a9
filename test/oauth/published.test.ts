/** cl1: whatever our documents, challenges and answers publish, our endpoints take back at full length. */
import type { FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'
import { loadYaml, problemsOf } from '../config/harness.ts'
import { createBrowser, hiddenField, refreshTarget } from '../support/browser.ts'
import { buildTestApp, resource } from '../support/build-app.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  consentTo,
  REDIRECT_URI,
  redeem,
  refresh,
  register,
  signIn,
} from '../support/oauth-client.ts'
import { approve, startJourney } from '../support/provider-journey.ts'

const names = (count: number) =>
  Array.from({ length: count }, (_, i) => `workspace:resource-${String(i).padStart(3, '0')}:rd`)

function offering(count: number) {
  const list = names(count)
  const scopes = Object.fromEntries(list.map((name) => [name, `Use ${name}`]))
  return { list, resources: [resource({ scopes, defaultScopes: list })] }
}

const post = (app: FastifyInstance, payload: Record<string, unknown>) =>
  app.inject({
    method: 'POST',
    url: '/register',
    payload: { redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none', ...payload },
  })

const sorted = (scope: string) => scope.split(' ').sort()

describe.each([1, 40, 200])('cl1: a server that offers %i scopes', (count) => {
  it('takes the scopes of its own challenge at each endpoint, from registration to refresh', async () => {
    const { list, resources } = offering(count)
    const { app } = await buildTestApp({ resources })
    const challenge = String((await check(app)).headers['www-authenticate'])
    const scope = /scope="([^"]*)"/.exec(challenge)?.[1] ?? ''
    expect(sorted(scope)).toEqual([...list].sort())
    const registered = await post(app, { scope })
    expect(registered.statusCode).toBe(201)
    expect(registered.json().scope).toBe(scope)
    const client = registered.json()
    const browser = createBrowser(app)
    const asked = `${scope} offline_access`
    const url = authorizeUrl(client, { scope: asked, state: 's'.repeat(500) })
    const page = await browser.get(url)
    for (const name of list) expect(page.body).toContain(`Use ${name}`)
    const answer = await signIn(browser, url)
    const tokens = await redeem(app, client, codeOf(answer))
    expect(tokens.statusCode).toBe(200)
    expect(sorted(tokens.json().scope)).toEqual(sorted(asked))
    const again = await refresh(app, client, tokens.json().refresh_token, { scope: asked })
    expect(again.statusCode).toBe(200)
    expect(sorted(again.json().scope)).toEqual(sorted(asked))
    const passed = await check(app, { authorization: `Bearer ${again.json().access_token}` })
    expect(passed.statusCode).toBe(200)
    const forwarded = String(passed.headers['x-forwarded-scopes']).split(' ')
    for (const name of list) expect(forwarded).toContain(name)
  })

  it('takes a part of them, and grants no more', async () => {
    const { list, resources } = offering(count)
    const { app } = await buildTestApp({ resources })
    const client = await register(app)
    const part = list.filter((_, i) => i % 2 === 0)
    const url = authorizeUrl(client, { scope: part.join(' ') })
    const tokens = await redeem(app, client, codeOf(await signIn(createBrowser(app), url)))
    expect(sorted(tokens.json().scope)).toEqual([...part].sort())
  })

  it('takes all of its documents back at registration', async () => {
    const { resources } = offering(count)
    const { app } = await buildTestApp({ resources })
    const server = (await app.inject('/.well-known/oauth-authorization-server')).json()
    const protectedResource = (
      await app.inject({
        url: '/.well-known/oauth-protected-resource/notes/mcp',
        headers: { host: 'mcp.example.com' },
      })
    ).json()
    const first = await post(app, {
      ...server,
      ...protectedResource,
      scope: server.scopes_supported.join(' '),
      grant_types: server.grant_types_supported,
      response_types: server.response_types_supported,
    })
    expect(first.statusCode).toBe(201)
    const second = await app.inject({ method: 'POST', url: '/register', payload: first.json() })
    expect(second.statusCode).toBe(201)
    expect(second.json().scope).toBe(first.json().scope)
    const client = first.json()
    const url = authorizeUrl(client, {
      scope: server.scopes_supported.join(' '),
      resource: protectedResource.resource,
    })
    expect((await createBrowser(app).get(url)).statusCode).toBe(200)
  })

  it('fits into the state of a provider that is elsewhere', async () => {
    const { list, resources } = offering(count)
    const journey = await startJourney({ resources })
    const browser = createBrowser(journey.app)
    const approved = await approve(browser, authorizeUrl(journey.client, { scope: list.join(' ') }))
    const target = new URL(refreshTarget(approved.body))
    expect(target.searchParams.get('state')?.length).toBeLessThan(4000)
    const back = await browser.get(await journey.provider.signIn(target.href))
    const tokens = await redeem(journey.app, journey.client, codeOf(back))
    expect(sorted(tokens.json().scope)).toEqual([...list].sort())
  })
})

describe('cl1: a member that is only said back', () => {
  const LONG = 'x'.repeat(4000)

  it('is said back at any length that the body may have', async () => {
    const { app } = await buildTestApp()
    const said = {
      scope: LONG,
      client_uri: `https://app.example/${LONG}`,
      contacts: Array.from({ length: 40 }, (_, i) => `person-${i}@example.com`),
      software_id: LONG,
      software_version: LONG,
    }
    const answer = await post(app, said)
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).toMatchObject(said)
  })

  it.each([
    ['scope', 7],
    ['scope', ['a', 'b']],
    ['client_uri', { a: 1 }],
    ['client_uri', 'javascript:alert(1)'],
    ['contacts', 'a@example.com'],
    ['contacts', [1]],
    ['software_id', true],
    ['software_version', 1.2],
    ['application_type', 'toaster'],
  ])('is left out of the answer where it is no such text: %s = %j', async (name, value) => {
    const { app } = await buildTestApp()
    const answer = await post(app, { [name]: value })
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).not.toHaveProperty(name)
  })
})

describe('cl1: a list of scopes that changes during a sign-in', () => {
  it('never turns one scope into another', async () => {
    const { list, resources } = offering(200)
    const before = await buildTestApp({ resources })
    const client = await register(before.app)
    const browser = createBrowser(before.app)
    const part = list.slice(0, 150)
    const url = authorizeUrl(client, { scope: part.join(' '), state: 's'.repeat(500) })
    const login = await consentTo(browser, url)
    const turned = Object.fromEntries([...list].reverse().map((name) => [name, name]))
    const { app } = await before.restart({
      resources: [resource({ scopes: turned, defaultScopes: list })],
    })
    const answer = await app.inject({
      method: 'POST',
      url: '/login',
      headers: {
        host: 'auth.example.com',
        'content-type': 'application/x-www-form-urlencoded',
        cookie: [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      },
      payload: new URLSearchParams({
        interaction: hiddenField(login.body, 'interaction'),
        username: 'ann',
        password: 'correct horse',
      }).toString(),
    })
    expect(answer.statusCode).toBe(403)
    expect(answer.body).toContain('This page is no longer valid')
  })
})

it('cl1: the start refuses a list of scopes that no token could carry', () => {
  const yaml = (count: number) =>
    `resources:\n  notes:\n    url: https://mcp.example.com/mcp\n    scopes:\n${names(count)
      .map((name) => `      "${name}": Use it\n`)
      .join('')}`
  const problems = (count: number) =>
    problemsOf(() => loadYaml(yaml(count), { env: { ALLOWED_EMAILS: 'a@example.com' } }))
  expect(problems(200)).toEqual([])
  expect(problems(400)).toEqual([
    'resources.notes.scopes: is a list of 10399 characters, but a token that carries all of it must fit into a header. Shorten it to 10000 characters.',
  ])
})
