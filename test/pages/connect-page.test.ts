import { Script } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { connectPage, connectPageHeaders } from '../../src/pages/connect-page.ts'
import { CONNECT_SCRIPT } from '../../src/pages/connect-script.ts'
import { attribute, tags } from './read-markup.ts'
import { MARKUP } from './variants.ts'

const page = (over: Partial<Parameters<typeof connectPage>[0]> = {}) =>
  connectPage({
    code: 'K7M-2QXA',
    gateway: 'mcp.example.com',
    person: 'ann@example.com',
    token: 'aaa.bbb.ccc',
    port: 49_152,
    nonce: 'nonce',
    ...over,
  })

/** The body that a browser posts for a form of this encoding (HTML, text/plain form data). */
const plainBodies = (html: string) =>
  tags(html)
    .filter((tag) => tag.startsWith('<input type="hidden"'))
    .map((tag) => `${attribute(tag, 'name')}=${attribute(tag, 'value')}\r\n`)

describe('the connect page', () => {
  it('posts JSON without a script too, by both of its forms', () => {
    const bodies = plainBodies(page()).map((body) => JSON.parse(body))
    expect(bodies).toEqual(Array(2).fill({ token: 'aaa.bbb.ccc', code: 'K7M-2QXA', _: '=' }))
    for (const form of tags(page()).filter((tag) => tag.startsWith('<form'))) {
      expect(attribute(form, 'enctype')).toBe('text/plain')
      expect(attribute(form, 'action')).toBe('http://127.0.0.1:49152/callback')
    }
  })

  it('keeps that JSON whatever is in it', () => {
    const hostile = page({ token: MARKUP, code: `"\\\u2028${MARKUP}` })
    const data = /<script type="application\/json" id="data">([^<>&\u2028]*)<\/script>/.exec(
      hostile,
    )
    const said = { token: MARKUP, code: `"\\\u2028${MARKUP}` }
    expect(JSON.parse(data?.[1] ?? '')).toEqual({ port: 49_152, ...said })
    for (const body of plainBodies(hostile)) expect(JSON.parse(body)).toMatchObject(said)
  })

  it('says what to compare, warns of the prompt before the button, and offers a way to say no', () => {
    const html = page()
    const order = [
      'Verify that this is the code shown in your terminal',
      'Your browser may ask',
      'Not my code',
      'Connect to Gateway</button>',
      'It does not work?',
    ].map((words) => html.indexOf(words))
    expect(order).not.toContain(-1)
    expect(order).toEqual(order.toSorted((a, b) => a - b))
  })

  it('puts the session into no address', () => {
    const addresses = tags(page({ token: 'SECRET' })).flatMap((tag) =>
      ['href', 'src', 'action', 'content'].flatMap((name) => attribute(tag, name) ?? []),
    )
    expect(addresses.length).toBeGreaterThan(3)
    expect(addresses.join()).not.toContain('SECRET')
  })

  it('runs its script only when the nonce is the one of its policy', () => {
    const policy = connectPageHeaders({ port: 1, nonce: 'abc' })['Content-Security-Policy']
    expect(policy).toContain("script-src 'nonce-abc';")
    expect(page({ nonce: 'abc' }).match(/<script [^>]*>/g)).toEqual([
      '<script type="application/json" id="data">',
      '<script nonce="abc">',
    ])
  })

  it('has a script that parses', () => {
    expect(() => new Script(`(async () => {${CONNECT_SCRIPT}})`)).not.toThrow()
  })
})
