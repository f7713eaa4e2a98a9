/**
 * A person chooses the tools that a client may call, and the reverse proxy lets no other call pass.
 */
import { describe, expect, it, vi } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { sha256 } from '../../src/crypto.ts'
import { ALL_TOOLS, allowedTools, TOOL_SCOPES } from '../../src/resources/tool-choices.ts'
import { attribute, tags, visibleText } from '../pages/read-markup.ts'
import { createBrowser, hiddenField } from '../support/browser.ts'
import { buildTestApp, resource } from '../support/build-app.ts'
import { afterTest } from '../support/clean-ups.ts'
import { authorizeUrl, check, codeOf, redeem, refresh, register } from '../support/oauth-client.ts'
import { open as connect, exchange, listen } from '../support/raw-http.ts'
import { NOTE_TOOLS, startScopedServer } from '../support/scoped-server.ts'
import { expectPage, followToLogin, typeIn } from '../support/steps.ts'

async function open(scope?: string, changes: Partial<Config> = {}, isWholeHost = false) {
  const tools: { name: string; annotations?: object }[] = [...NOTE_TOOLS]
  const server = await startScopedServer([{ name: 'ignored' }], { tools, json: true })
  const protectedServer = resource({
    upstream: server.url,
    ...(isWholeHost && {
      url: 'https://mcp.example.com',
      upstream: server.origin,
      scopesEndpoint: server.url,
    }),
    toolChoices: true,
    scopes: TOOL_SCOPES,
    scopesBeside: TOOL_SCOPES,
    defaultScopes: [ALL_TOOLS],
  })
  const gateway = await buildTestApp({ resources: [protectedServer], ...changes })
  const client = await register(gateway.app)
  const browser = createBrowser(gateway.app)
  const page = await browser.get(authorizeUrl(client, { scope }))
  const port = await listen(gateway.app)
  const answer = (fields: readonly (readonly [string, string])[]) =>
    browser.post('/authorize/consent', [
      ['interaction', hiddenField(page.body, 'interaction')],
      ['choice', hiddenField(page.body, 'choice')],
      ...fields.map((pair) => [...pair]),
      ['decision', 'approve'],
    ])
  const tokensFor = async (...fields: readonly (readonly [string, string])[]) => {
    const done = await typeIn(browser, await followToLogin(browser, await answer(fields)))
    return (await redeem(gateway.app, client, codeOf(done))).json()
  }
  /** Sends a body to the server through the proxy. */
  const send = (
    token: string,
    body: string,
    headers: readonly string[] = [],
    types: readonly string[] = ['Content-Type: application/json'],
  ) =>
    exchange(
      port,
      [
        'POST /notes/mcp HTTP/1.1',
        'Host: mcp.example.com',
        `Authorization: Bearer ${token}`,
        ...types,
        'Accept: application/json, text/event-stream',
        ...(headers.length > 0 ? headers : [`Content-Length: ${Buffer.byteLength(body)}`]),
      ],
      body,
    )
  /** The status of a request with another method or address. */
  const ask = async (token: string, line: string, headers: readonly string[] = []) => {
    const head = ['Host: mcp.example.com', `Authorization: Bearer ${token}`, ...headers]
    return (await exchange(port, [`${line} HTTP/1.1`, ...head])).status
  }
  const call = async (token: string, name: string) => {
    const { status, body } = await send(
      token,
      JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name } }),
    )
    return { ...JSON.parse(String(body)), status }
  }
  return { server, tools, gateway, client, port, ask, page, answer, tokensFor, send, call }
}

const NO_LIMIT = { body: 0, headers: 65_536, perPerson: { requests: 0, streams: 0 } }
const headOf = (token: string, framing: string) =>
  `POST /notes/mcp HTTP/1.1\r\nHost: mcp.example.com\r\nAuthorization: Bearer ${token}\r\n` +
  `Content-Type: application/json\r\n${framing}\r\n\r\n`
const REFUSED = { status: 200, id: 7, error: { code: -32000 } }

describe('the consent page', () => {
  it('has three choices, the tools by their annotations, and no word of a limit that nobody keeps', async () => {
    const { page } = await open()
    const radios = tags(page.body).filter((tag) => tag.includes('type="radio"'))
    expect(radios.map((tag) => attribute(tag, 'value'))).toEqual(['all', 'reading', 'single'])
    expect(radios.map((tag) => tag.includes(' checked'))).toEqual([true, false, false])
    const boxes = tags(page.body).filter((tag) => tag.includes('type="checkbox"'))
    expect(boxes.map((tag) => attribute(tag, 'value'))).toEqual(NOTE_TOOLS.map(({ name }) => name))
    const text = visibleText(page.body)
    expect(text).toContain('Use only tools that change nothing Tools: get_note')
    expect(text).toContain('delete_note (may change or delete)')
    expect(text).toContain('The server itself says what its tools do.')
  })

  it('has no choice of all for a client that asks to read only', async () => {
    const { page, answer } = await open('tools:read')
    expect(page.body).not.toContain('value="all"')
    expectPage(await answer([['tools', 'all']]), 400)
    expectPage(
      await answer([
        ['tools', 'single'],
        ['tool', 'delete_note'],
      ]),
      400,
    )
  })

  it.each<readonly (readonly [string, string])[]>([
    [['tools', 'single']],
    [],
    [['tools', 'everything']],
    [
      ['tools', 'single'],
      ['tool', 'other'],
    ],
    [
      ['tools', 'single'],
      ['tool', 'get_note'],
      ['tool', 'tools:all'],
    ],
  ])(
    'grants nothing for an answer that chooses nothing, or more than it offered: %#',
    async (...fields) => {
      const { answer } = await open()
      expectPage(await answer(fields), 400)
    },
  )
})

it('ticked tools beside another choice grant nothing, since one of the two is a mistake', async () => {
  const { answer } = await open()
  for (const which of ['all', 'reading']) {
    const again = await answer([
      ['tools', which],
      ['tool', 'get_note'],
    ])
    expectPage(again, 400)
    expect(visibleText(again.body)).toContain('choose to use only those, or untick them')
  }
})

describe('a choice', () => {
  it('of all lets every call pass', async () => {
    const { tokensFor, call, server } = await open()
    const { access_token, scope } = await tokensFor(['tools', 'all'])
    expect(scope).toBe('tools:all')
    expect(await call(access_token, 'delete_note')).toMatchObject({
      result: { content: [{ text: 'ran delete_note' }] },
    })
    expect(server.ran).toEqual(['delete_note'])
  })

  it('of those that only read stops all others, before the server sees them', async () => {
    const { tokensFor, call, server, gateway } = await open()
    const { access_token, scope } = await tokensFor(['tools', 'reading'])
    expect(scope).toBe('tools:read')
    expect(await call(access_token, 'delete_note')).toMatchObject(REFUSED)
    expect(await call(access_token, 'unknown')).toMatchObject(REFUSED)
    expect(await call(access_token, 'get_note')).toMatchObject({ result: {} })
    expect(server.ran).toEqual(['get_note'])
    const events = gateway.events.filter(({ event }) => event === 'tool-refused')
    expect(events.map((event) => 'mcp' in event && event.mcp)).toEqual([
      'tools/call delete_note',
      false,
    ])
  })

  it('tells a client in a web page why its call did not pass', async () => {
    const { tokensFor, send } = await open()
    const { access_token } = await tokensFor(['tools', 'reading'])
    for (const body of [
      '{}',
      '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"delete_note"}}',
    ]) {
      const answer = await send(access_token, body, [
        `Content-Length: ${body.length}`,
        'Origin: http://localhost:6274',
      ])
      expect(answer.values('access-control-allow-origin')).toEqual(['http://localhost:6274'])
    }
  })

  it('of single ones stands in the grant, and a refresh keeps it', async () => {
    const { tokensFor, call, client, gateway } = await open()
    const tokens = await tokensFor(['tools', 'single'], ['tool', 'add_note'])
    expect(tokens.scope).toBe('tool:add_note')
    const again = (await refresh(gateway.app, client, tokens.refresh_token)).json()
    expect(again.scope).toBe('tool:add_note')
    expect(await call(again.access_token, 'add_note')).toMatchObject({ result: {} })
    expect(await call(again.access_token, 'get_note')).toMatchObject(REFUSED)
  })

  it('lets other messages pass, and stops bodies that cannot be judged', async () => {
    const { tokensFor, send, server } = await open()
    const { access_token } = await tokensFor(['tools', 'reading'])
    const list = await send(access_token, '{"jsonrpc":"2.0","id":1,"method":"tools/list"}')
    expect(String(list.body)).toContain('delete_note')
    const doubled = '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{}}'
    expect((await send(access_token, doubled)).status).toBe(400)
    const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_note"}}'
    const chunked = await send(
      access_token,
      `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
      ['Transfer-Encoding: chunked'],
    )
    expect(String(chunked.body)).toContain('-32000')
    expect((await send(access_token, ' '.repeat(256 * 1024 + 1))).status).toBe(413)
    expect(server.ran).toEqual([])
  })

  it.each([
    ['Content-Type: application/json; charset = utf-7'],
    ['Content-Type: application/json; x="; charset=utf-8"; charset=utf-7'],
    ['Content-Type: application/json; charset=utf-8; charset=utf-7'],
    ['Content-Type: application/json', 'Content-Type: application/json; charset=utf-7'],
    ['Content-Type: application/json; charset=utf8'],
    ['Content-Type: text/plain'],
    [],
  ])(
    'is not evaded by a body that the server would read in another charset: %#',
    async (...types) => {
      const { tokensFor, send, server } = await open()
      const { access_token } = await tokensFor(['tools', 'reading'])
      const asked = server.called.length
      const body =
        '{"jsonrpc":"2.0","id":1,"method":"tools+AC8-call","params":{"name":"delete_note"}}'
      expect((await send(access_token, body, [], types)).status).toBe(400)
      expect(server.called.slice(asked)).toEqual([])
    },
  )

  it('is not evaded by a type that the server reads under another spelling of its name', async () => {
    const { tokensFor, send, server } = await open()
    const { access_token } = await tokensFor(['tools', 'reading'])
    const { status } = await send(
      access_token,
      '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
      [],
      [
        'Content-Type: application/json; charset="UTF-8"',
        'Content_Type: application/json; charset=utf-7',
        'Content_Encoding: gzip',
      ],
    )
    expect(status).toBe(200)
    const { rawHeaders = [] } = server.requests.at(-1) ?? {}
    const lines = rawHeaders.filter((text) =>
      /^content.(?:type|encoding)$|^application\/json(?!,)/i.test(text),
    )
    expect(lines).toEqual(['Content-Type', 'application/json'])
  })

  it.each([[1000], [0]])(
    'does not end the process by a body in pieces above the limit, be it UPSTREAM_BODY_LIMIT (%i) or ours',
    async (body) => {
      const { tokensFor, call, port, server } = await open(undefined, {
        upstreamLimits: { ...NO_LIMIT, body },
      })
      const { access_token } = await tokensFor(['tools', 'reading'])
      const client = await connect(port)
      const size = (body || 256 * 1024) + 1
      client.send(
        headOf(access_token, 'Transfer-Encoding: chunked') +
          `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`,
      )
      // The end comes after the answer.
      await client.until(/^HTTP\/1.1 413 [\s\S]*the body is too large/)
      client.send('1\r\nx\r\n0\r\n\r\n')
      expect((await client.ended()).match(/HTTP\/1\.1/g)).toHaveLength(1)
      expect(await call(access_token, 'get_note')).toMatchObject({ result: {} })
      expect(server.ran).toEqual(['get_note'])
    },
  )

  it('refuses a body by its announced length before any of it comes', async () => {
    const { tokensFor, port } = await open()
    const { access_token } = await tokensFor(['tools', 'reading'])
    const client = await connect(port)
    client.send(headOf(access_token, `Content-Length: ${256 * 1024 + 1}`))
    await client.until(/^HTTP\/1.1 413 /)
  })

  it('cannot fill the memory by slow bodies: there is 503 until a client leaves', async () => {
    const { tokensFor, call, port } = await open(undefined, { upstreamLimits: NO_LIMIT })
    const { access_token } = await tokensFor(['tools', 'reading'])
    // 64 MiB together: a buffer doubles, so each of these holds 256 KiB.
    const piece = Buffer.alloc(129 * 1024, ' ')
    const slow = await Promise.all(
      Array.from({ length: 256 }, async () => {
        const client = await connect(port)
        client.send(headOf(access_token, `Content-Length: ${256 * 1024}`))
        client.send(piece)
        return client
      }),
    )
    const statusOnce = async (wanted: number) => {
      for (let tries = 0; tries < 200; tries += 1) {
        const answer = await call(access_token, 'get_note')
        if (answer.status === wanted) return answer
      }
      throw new Error(`never ${wanted}`)
    }
    expect(await statusOnce(503)).toMatchObject({ error: 'temporarily_unavailable' })
    for (const client of slow) client.leave()
    expect(await statusOnce(200)).toMatchObject({ result: {} })
  })

  it('ends a body that takes its time with 408', async () => {
    const { tokensFor, port } = await open()
    const { access_token } = await tokensFor(['tools', 'reading'])
    const client = await connect(port)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    afterTest(() => void vi.useRealTimers())
    client.send(`${headOf(access_token, 'Content-Length: 100')}{`)
    let text = ''
    client.until(/\}$/).then(
      (answer) => {
        text = answer
      },
      () => undefined,
    )
    // The idle time is an hour, so only the deadline can end it.
    for (let round = 0; round < 300 && text === ''; round += 1) {
      await new Promise((resolve) => setImmediate(resolve))
      vi.advanceTimersByTime(10_000)
    }
    expect(text).toMatch(/^HTTP\/1.1 408 /)
  })

  it.each([
    '{"tool":"delete_note"}',
    '{"jsonrpc":"2.0","id":1,"method":"TOOLS/CALL","params":{"name":"delete_note"}}',
    '["tools/call"]',
    '',
  ])('is not evaded by a body that is no MCP message: %s', async (body) => {
    const { tokensFor, send, server } = await open()
    const { access_token } = await tokensFor(['tools', 'reading'])
    const asked = server.called.length
    expect((await send(access_token, body)).status).toBe(400)
    expect(server.called.slice(asked)).toEqual([])
  })

  it.each([
    'DELETE /notes/mcp/notes/1',
    'GET /notes/mcp/run?tool=delete_note',
    'PUT /notes/mcp',
    'PATCH /notes/mcp',
  ])('is not evaded by another route of the server: %s', async (line) => {
    const { tokensFor, ask, server } = await open()
    const { access_token } = await tokensFor(['tools', 'reading'])
    const asked = server.called.length
    expect(await ask(access_token, line)).toBe(403)
    expect(server.called.slice(asked)).toEqual([])
  })

  it('lets a client end its session and listen, at the address with and without its final slash', async () => {
    const { tokensFor, ask, server } = await open()
    const { access_token } = await tokensFor(['tools', 'reading'])
    const asked = server.called.length
    await ask(access_token, 'DELETE /notes/mcp')
    await ask(access_token, 'DELETE /notes/mcp/')
    await ask(access_token, 'GET /notes/mcp')
    expect(server.called.slice(asked)).toEqual(['DELETE', 'DELETE', 'GET'])
    expect(server.requests.at(-2)?.headers).not.toHaveProperty('content-type')
  })

  it('leaves the address of scopes_endpoint open where the server has a whole host', async () => {
    const { tokensFor, ask, server } = await open(undefined, {}, true)
    const { access_token } = await tokensFor(['tools', 'reading'])
    const asked = server.called.length
    await ask(access_token, 'DELETE /mcp')
    expect(await ask(access_token, 'DELETE /notes/1')).toBe(403)
    expect(server.called.slice(asked)).toEqual(['DELETE'])
  })

  it('has no effect where another proxy passes the request on, so such a check refuses it', async () => {
    const { tokensFor, gateway } = await open()
    const { access_token } = await tokensFor(['tools', 'reading'])
    const answer = await check(gateway.app, { authorization: `Bearer ${access_token}` })
    expect(answer.statusCode).toBe(403)
    expect(answer.body).toContain('only Gatewarden as the proxy itself can enforce')
  })

  it('of those that only read follows the server, which may say that one does more by now', async () => {
    const { tokensFor, call, tools, gateway } = await open()
    const { access_token } = await tokensFor(['tools', 'reading'])
    expect(await call(access_token, 'get_note')).toMatchObject({ result: {} })
    tools.splice(0, 1, { name: 'get_note' }, { name: 'find', annotations: { readOnlyHint: true } })
    gateway.clock.advance(300)
    expect(await call(access_token, 'get_note')).toMatchObject(REFUSED)
    expect(await call(access_token, 'find')).toMatchObject({ result: {} })
  })

  it('is not needed for a fixed token, and a token without any scope of tools opens none', async () => {
    const [all, other] = ['a-token-of-all-tools', 'a-token-of-something-else']
    const { call } = await open(undefined, {
      staticTokens: [
        { name: 'all', tokenHash: sha256(all) },
        { name: 'other', tokenHash: sha256(other), scopes: ['tools:read'] },
      ],
    })
    expect(await call(all, 'delete_note')).toMatchObject({ result: {} })
    expect(await call(other, 'delete_note')).toMatchObject(REFUSED)
    expect(allowedTools(['mcp'], new Map())).toEqual(new Set())
    expect(allowedTools(['tools:read'], new Map())).toEqual(new Set())
  })
})
