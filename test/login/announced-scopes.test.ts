/**
 * B8: the scopes that a server says it has, from its own mouth to the person, the token and back to the server.
 */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { ResourceConfig } from '../../src/resources/resource-table.ts'
import { attribute, tags, visibleText } from '../pages/read-markup.ts'
import { createBrowser, hiddenField } from '../support/browser.ts'
import { buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import { authorizeUrl, check, codeOf, redeem, refresh, register } from '../support/oauth-client.ts'
import { type ScopedServer, startScopedServer, TOOLBOX } from '../support/scoped-server.ts'
import { expectConsent, expectPage, followToLogin, typeIn } from '../support/steps.ts'
import { startUpstream } from '../support/upstream-server.ts'

const [READ, WRITE, LIST] = ['toolbox:read_only', 'toolbox:read_write', 'toolbox:list'] as const

/** A resource without a list of scopes, which asks its server. */
const asking = (scopesEndpoint: string, changes: Partial<ResourceConfig> = {}) =>
  resource({ scopesBeside: {}, scopesEndpoint, ...changes })

/** The text of a page, as it is read: the names of tools are elements of their own. */
const textOf = (page: string) => visibleText(page).replaceAll(' ,', ',')

async function openPage(gateway: TestApp, scope?: string) {
  const client = await register(gateway.app)
  const browser = createBrowser(gateway.app)
  const page = await browser.get(authorizeUrl(client, { scope }))
  const boxes = tags(page.body).filter((tag) => tag.includes('type="checkbox"'))
  /** Sends the form as a browser without scripts does, with these boxes ticked. */
  const allow = (...ticked: readonly string[]) =>
    browser.post('/authorize/consent', [
      ['interaction', hiddenField(page.body, 'interaction')],
      ...(boxes.length > 0 ? [['choice', hiddenField(page.body, 'choice')]] : []),
      ...ticked.map((name) => ['scope', name]),
      ['decision', 'approve'],
    ])
  const tokensFor = async (...ticked: readonly string[]) => {
    const done = await typeIn(browser, await followToLogin(browser, await allow(...ticked)))
    return (await redeem(gateway.app, client, codeOf(done))).json()
  }
  return { client, browser, page, boxes, allow, tokensFor, text: textOf(page.body) }
}

async function open(server: { readonly url: string }, changes: Partial<ResourceConfig> = {}) {
  const gateway = await buildTestApp({ resources: [asking(server.url, changes)] })
  return { gateway, ...(await openPage(gateway)) }
}

const described = async (
  { app }: TestApp,
  url = '/.well-known/oauth-protected-resource/notes/mcp',
) => (await app.inject({ url, headers: { host: 'mcp.example.com' } })).json()

describe('the scopes of a server', () => {
  it('stand in its document, in ours and in the challenge', async () => {
    const server = await startScopedServer()
    const gateway = await buildTestApp({ resources: [asking(server.url)] })
    const before = String((await check(gateway.app)).headers['www-authenticate'])
    expect(before).toContain('scope="mcp"')
    expect((await described(gateway)).scopes_supported).toEqual([READ, WRITE, LIST])
    const ours = await described(gateway, '/.well-known/oauth-authorization-server')
    expect(ours.scopes_supported).toEqual([READ, WRITE, LIST, 'offline_access'])
    const after = String((await check(gateway.app)).headers['www-authenticate'])
    expect(after).toContain(`scope="${READ} ${WRITE} ${LIST}"`)
  })

  it('have a box each, with its words and its tools, for a client that asks for nothing', async () => {
    const { page, boxes, text } = await open(await startScopedServer())
    expectConsent(page)
    expect(boxes.map((tag) => attribute(tag, 'value'))).toEqual([READ, WRITE, LIST])
    expect(text).toContain(
      'Allow all read-only toolbox operations. Tools: get_resource, list_resources',
    )
    expect(text).toContain('The server describes this in its own words.')
    expect(text).toContain('A ticked box also allows each box whose tools it has.')
    expect(boxes.map((tag) => attribute(tag, 'data-covers'))).toEqual([
      LIST,
      `${READ} ${LIST}`,
      undefined,
    ])
  })

  it('come with a script that the policy of the page allows by its hash, and no other', async () => {
    const { page } = await open(await startScopedServer())
    const scripts = [...page.body.matchAll(/<script>([^<]*)<\/script>/g)].map(([, text]) => text)
    expect(scripts).toHaveLength(1)
    const hash = createHash('sha256')
      .update(scripts[0] ?? '')
      .digest('base64')
    expect(page.headers['content-security-policy']).toContain(`script-src 'sha256-${hash}'`)
    const plain = await open(await startScopedServer([{ name: 'a' }, { name: 'b' }]))
    expect(plain.page.body).not.toContain('<script')
    expect(plain.page.headers['content-security-policy']).not.toContain('script-src')
  })

  it.each([
    [[READ], [READ, LIST]],
    [[LIST], [LIST]],
    [[WRITE], [READ, WRITE, LIST]],
  ])(
    'of which %j are ticked: those that they cover are granted too, without a script',
    async (ticked, granted) => {
      const { gateway, client, tokensFor } = await open(await startScopedServer())
      const tokens = await tokensFor(...ticked)
      expect(tokens.scope.split(' ')).toEqual(granted)
      const seen = await check(gateway.app, { authorization: `Bearer ${tokens.access_token}` })
      expect(seen.headers['x-forwarded-scopes']).toBe(granted.join(' '))
      const again = (await refresh(gateway.app, client, tokens.refresh_token)).json()
      expect(again.scope).toBe(tokens.scope)
    },
  )

  it('can be asked for one by one, and unknown ones are dropped', async () => {
    const gateway = await buildTestApp({ resources: [asking((await startScopedServer()).url)] })
    const { page, boxes } = await openPage(gateway, `${LIST} other`)
    expect(visibleText(page.body)).toContain('Allow listing resources.')
    expect(visibleText(page.body)).not.toContain('toolbox operations')
    expect(boxes).toEqual([])
  })

  it('are offered beside those that other settings name, and never replace those that are required', async () => {
    const { boxes, text, tokensFor } = await open(await startScopedServer(), {
      scopes: { use: 'Use it' },
      scopesBeside: { use: 'Use it' },
      requiredScopes: ['use'],
      defaultScopes: ['use'],
    })
    expect(text).toContain('Use it')
    expect(boxes).toEqual([])
    expect((await tokensFor()).scope).toBe('use')
  })
})

describe('a list of the configuration', () => {
  const list = { [READ]: 'Look around', other: 'Something else' }
  const listed = (server: ScopedServer) =>
    buildTestApp({
      resources: [
        resource({ scopes: list, defaultScopes: Object.keys(list), scopesEndpoint: server.url }),
      ],
    })

  it('stays whole and keeps its words: the server only says which tools its scopes open', async () => {
    const gateway = await listed(await startScopedServer())
    const { text, boxes } = await openPage(gateway, `${READ} ${WRITE} other`)
    expect(boxes.map((tag) => attribute(tag, 'value'))).toEqual([READ, 'other'])
    expect(text).toContain('Look around Tools: get_resource, list_resources Something else')
    expect(text).not.toContain('toolbox operations')
    expect(text).not.toContain('in its own words')
    expect((await described(gateway)).scopes_supported).toEqual([READ, 'other'])
  })
})

describe('a server that is down', () => {
  it('from the start: the scopes of the configuration count, and people get in', async () => {
    const server = await startUpstream()
    await server.stop()
    const { page, text, gateway } = await open({ url: server.origin })
    expectConsent(page)
    expect(text).toContain('Use this server')
    expect(gateway.logs).toContainEqual(
      expect.objectContaining({
        msg: expect.stringContaining('does not say its scopes'),
        resource: 'notes',
      }),
    )
  })

  it('later: its last answer counts', async () => {
    const server = await startScopedServer()
    const { gateway } = await open(server)
    await server.stop()
    gateway.clock.advance(3600)
    const { boxes, tokensFor } = await openPage(gateway)
    expect(boxes).toHaveLength(3)
    expect((await tokensFor(LIST)).scope).toBe(LIST)
  })

  it('that says other scopes later is shown anew', async () => {
    const server = await startScopedServer()
    const { gateway } = await open(server)
    server.say([{ name: 'new', description: 'A new one' }])
    gateway.clock.advance(300)
    expect((await openPage(gateway)).text).toContain('A new one')
    server.say(undefined)
    gateway.clock.advance(300)
    expect((await openPage(gateway)).text).toContain('Use this server')
  })
})

describe('a hostile server', () => {
  it('cannot make a ticked box cover more than the person saw', async () => {
    const server = await startScopedServer()
    const { gateway, allow, browser, client } = await open(server)
    server.say(
      TOOLBOX.map((scope) => ({ ...scope, tools: scope.name === LIST ? ['a', 'b'] : ['a'] })),
    )
    gateway.clock.advance(300)
    const again = await allow(LIST)
    expectPage(again, 400)
    expect(visibleText(again.body)).toContain('This list has changed meanwhile. Read it again.')
    const shown = tags(again.body).filter((tag) => tag.includes('type="checkbox"'))
    expect(attribute(shown[2], 'data-covers')).toBe(`${READ} ${WRITE}`)
    const approved = await browser.post('/authorize/consent', [
      ['interaction', hiddenField(again.body, 'interaction')],
      ['choice', hiddenField(again.body, 'choice')],
      ['scope', READ],
      ['decision', 'approve'],
    ])
    const done = await typeIn(browser, await followToLogin(browser, approved))
    const { scope } = (await redeem(gateway.app, client, codeOf(done))).json()
    expect(scope.split(' ')).not.toContain(LIST)
  })

  it('T7: puts no markup, no line and no turned text on the page', async () => {
    const evil = `<script>alert(1)</script>"' data-x="\u202e\n`
    const { page, text } = await open(
      await startScopedServer([
        {
          name: `a<script>alert(2)</script>`.replaceAll(' ', ''),
          description: evil,
          tools: [evil],
        },
        { name: 'two words', description: 'Never shown' },
        { name: 'b' },
      ]),
    )
    expect(page.body).not.toContain('<script')
    expect(page.body).not.toContain('data-x="')
    expect(page.body).not.toContain('\u202e')
    expect(text).not.toContain('Never shown')
  })

  it('gets no client that names no server by a scope of another one', async () => {
    const server = await startScopedServer([{ name: 'notes:write' }, { name: 'openid' }])
    const resources = [
      asking(server.url, { id: 'evil', url: 'https://evil.example.com', name: 'Evil' }),
      resource({ scopes: { 'notes:write': 'Write' }, defaultScopes: ['notes:write'] }),
      resource({ id: 'main', url: 'https://main.example.com', name: 'Main', isDefault: true }),
    ]
    const gateway = await buildTestApp({ resources })
    const client = await register(gateway.app)
    const ask = async (scope: string, resource?: string) => {
      const url = authorizeUrl(client, { scope, resource })
      return visibleText((await createBrowser(gateway.app).get(url)).body)
    }
    // Now it has said them.
    expect(await ask('openid', 'https://evil.example.com')).toContain('Evil')
    expect(server.called).toContain('tools/list')
    expect(await ask('openid')).toContain('Main')
    expect(await ask('notes:write')).toContain('Team notes')
  })

  it('cannot name a scope after a member of objects to break the page', async () => {
    const { page } = await open(
      await startScopedServer([
        { name: '__proto__' },
        { name: 'constructor' },
        { name: 'toString' },
      ]),
    )
    expectConsent(page)
    expect(visibleText(page.body)).toContain('Use "constructor"')
  })
})
