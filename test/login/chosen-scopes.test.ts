/**
 * A person chooses what a client may do, of that what it asked for (B7).
 */
import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { attribute, tags, visibleText } from '../pages/read-markup.ts'
import { createBrowser, hiddenField } from '../support/browser.ts'
import { buildTestApp, resource } from '../support/build-app.ts'
import { authorizeUrl, check, codeOf, redeem, refresh, register } from '../support/oauth-client.ts'
import { decide, expectPage, followToLogin, typeIn } from '../support/steps.ts'

const scopes = { use: 'Use it', read: 'Read notes', write: 'Change notes', admin: 'Run it' }
const rules = { scopes, requiredScopes: [] as string[], defaultScopes: ['read'] }

async function ask(scope: string, over: Partial<typeof rules> = {}) {
  const gateway = await buildTestApp({ resources: [resource({ ...rules, ...over })] })
  const client = await register(gateway.app)
  const browser = createBrowser(gateway.app)
  const page = await browser.get(authorizeUrl(client, { scope }))
  const boxes = tags(page.body).filter((tag) => tag.includes('type="checkbox"'))
  /** Sends the form with these boxes ticked. */
  const allow = (...ticked: readonly string[]) =>
    browser.post('/authorize/consent', [
      ['interaction', hiddenField(page.body, 'interaction')],
      ['choice', 'boxes'],
      ...ticked.map((name) => ['scope', name]),
      ['decision', 'approve'],
    ])
  const finish = async (approved: Awaited<ReturnType<typeof allow>>) => {
    const done = await typeIn(browser, await followToLogin(browser, approved))
    return (await redeem(gateway.app, client, codeOf(done))).json()
  }
  return { ...gateway, client, browser, page, boxes, allow, finish }
}

describe('B7: a request for several scopes', () => {
  it('has a ticked box for each, in words, and one for none that the server needs', async () => {
    const { boxes, page } = await ask('read write offline_access', { requiredScopes: ['use'] })
    expect(boxes.map((tag) => attribute(tag, 'value'))).toEqual(['read', 'write'])
    for (const tag of boxes) expect(tag).toContain(' checked')
    expect(visibleText(page.body)).toContain('Use it Read notes Change notes')
    expect(visibleText(page.body)).toContain('Untick what it should not do.')
  })

  it('grants what stays ticked: in the token, its answer, its refresh and at the server', async () => {
    const { app, client, allow, finish } = await ask('read write offline_access', {
      requiredScopes: ['use'],
    })
    const tokens = await finish(await allow('write'))
    expect(tokens.scope.split(' ').toSorted()).toEqual(['offline_access', 'use', 'write'])
    expect(decodeJwt(tokens.access_token).scope).toBe(tokens.scope)
    const answer = await check(app, { authorization: `Bearer ${tokens.access_token}` })
    expect(answer.headers['x-forwarded-scopes']).toBe('use write')
    const refreshed = (await refresh(app, client, tokens.refresh_token)).json()
    expect(refreshed.scope).toBe(tokens.scope)
  })

  it('grants nothing while every box is empty, and says so', async () => {
    const { allow, finish } = await ask('read write')
    const again = await allow()
    expectPage(again, 400)
    expect(visibleText(again.body)).toContain('Leave at least one ticked, or choose Deny.')
    expect(again.body).toContain('name="decision" value="approve"')
    expect((await finish(await allow('read'))).scope).toBe('read')
  })

  it('with every box empty grants the scopes that the server needs', async () => {
    const { allow, finish } = await ask('read', { requiredScopes: ['use'] })
    expect((await finish(await allow('read'))).scope).toBe('use read')
    const other = await ask('read', { requiredScopes: ['use'] })
    expect((await other.finish(await other.allow())).scope).toBe('use')
  })

  it.each(['admin', 'use', 'nonsense', 'offline_access', 'read write'])(
    'never grants a scope that the page did not offer: %s',
    async (more) => {
      const { allow } = await ask('read write', { requiredScopes: ['use'] })
      expectPage(await allow('read', more), 400)
    },
  )

  it('from a form without boxes grants all that the page showed', async () => {
    const { browser, page, finish } = await ask('read write')
    expect((await finish(await decide(browser, page))).scope).toBe('read write')
  })
})

it('a request for a single scope, or for more than a form can hold, has no boxes', async () => {
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`s${n}`, `Do ${n}`]))
  const all = await ask(Object.keys(many).join(' '), { scopes: { ...scopes, ...many } })
  for (const { boxes, page } of [await ask('read'), all]) {
    expect(boxes).toEqual([])
    expect(page.body).not.toContain('name="choice"')
  }
})
