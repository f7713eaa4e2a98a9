/**
 * A server behind us that answers 401 or 403 itself (features E4, case sr3).
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { DEFAULT_PASS_THROUGH } from '../../src/resources/pass-through.ts'
import { ANYONE, resource } from '../support/build-app.ts'
import { exchange, open } from '../support/raw-http.ts'
import { startUpstream } from '../support/upstream-server.ts'
import { CREDENTIAL, openGateway } from './gateway.ts'

const METADATA =
  'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/notes/mcp"'
const INNER = 'Bearer realm="inner", resource_metadata="http://inner:3000/prm"'

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

const saying =
  (status: number, challenges: readonly string[] = [], body = 'the inner body'): Handler =>
  (_request, response) =>
    response
      .writeHead(status, {
        'content-type': 'text/plain',
        'content-length': Buffer.byteLength(body),
        'set-cookie': 'inner=1',
        ...(challenges.length > 0 && { 'www-authenticate': [...challenges] }),
      })
      .end(body)

async function openNotes(answer: Handler, changes: Parameters<typeof resource>[0] = {}) {
  const upstream = await startUpstream(answer)
  const notes = resource({ allow: ANYONE, upstream: upstream.origin, ...changes })
  return { upstream, ...(await openGateway('', { resources: [notes] })) }
}

describe('E4, sr3: 401 of the server', () => {
  it.each([
    ['with a challenge of its own', [INNER]],
    ['with several', [INNER, 'Basic realm="inner"']],
    ['with none', []],
  ])('%s is our challenge, with our body and its length', async (_name, challenges) => {
    const { ask } = await openNotes(saying(401, challenges))
    const answer = await ask('POST /notes/mcp', { body: '{}' })
    expect(answer).toMatchObject({ status: 401, complete: true })
    expect(answer.values('www-authenticate')).toEqual([
      expect.stringMatching(/^Bearer error="invalid_token", [^,]+, resource_metadata=/),
    ])
    expect(answer.values('www-authenticate')[0]).toContain(METADATA)
    expect(answer.values('content-length')).toEqual([String(answer.body.length)])
    expect(JSON.parse(answer.body)).toEqual({
      error: 'invalid_token',
      error_description: expect.stringMatching(/^The access token is expired/),
    })
    expect(answer.values('content-type')).toEqual(['application/json'])
    expect(answer.values('set-cookie')).toEqual([])
    expect(answer.values('cache-control')).toEqual(['no-store'])
  })

  it('can be read by an allowed page, and names the path that was asked', async () => {
    const { ask } = await openNotes(saying(401, [INNER]))
    const headers = ['Origin: http://localhost:6274']
    const answer = await ask('POST /notes/mcp/deep', { headers })
    expect(answer.values('access-control-allow-origin')).toEqual(['http://localhost:6274'])
    expect(answer.values('www-authenticate')[0]).toContain('/notes/mcp/deep"')
  })

  it('to HEAD has no body, and the connection goes on', async () => {
    const { port } = await openNotes((request, response) => {
      if (request.method === 'HEAD') saying(401, [INNER])(request, response)
      else response.end('next')
    })
    const client = await open(port)
    const head = `/notes/mcp HTTP/1.1\r\nHost: mcp.example.com\r\n${CREDENTIAL}\r\n\r\n`
    client.send(`HEAD ${head}GET ${head}`)
    const got = await client.until(/next/)
    expect(got).toMatch(/^HTTP\/1\.1 401 [\s\S]*\r\n\r\nHTTP\/1\.1 200 /)
  })

  it.each([
    ['that is long', (response: ServerResponse) => response.end('x'.repeat(1_000_000))],
    ['that never ends', (response: ServerResponse) => response.write('some')],
  ])('with a body %s is answered at once', async (_name, write) => {
    const { ask } = await openNotes((_request, response) => {
      response.writeHead(401, { 'www-authenticate': INNER })
      write(response)
    })
    expect((await ask('POST /notes/mcp', { body: '{}' })).body).toMatch(/"invalid_token"/)
  })

  it('in the middle of an upload is answered without a reset', async () => {
    const { ask } = await openNotes(saying(401, [INNER]))
    const answer = await ask('POST /notes/mcp', { body: Buffer.alloc(2_000_000, 'x') })
    expect(answer).toMatchObject({ status: 401, complete: true })
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'invalid_token' })
  })

  it('at an open path asks a stranger to sign in, without an error', async () => {
    const { port } = await openNotes(saying(401, [INNER]), { openPaths: ['/notes/mcp/x'] })
    const answer = await exchange(port, ['GET /notes/mcp/x HTTP/1.1', 'Host: mcp.example.com'])
    expect(answer.values('www-authenticate')).toEqual([
      expect.stringMatching(/^Bearer resource_metadata="[^"]+\/notes\/mcp\/x", scope="mcp"$/),
    ])
  })

  it('is the server’s page to a person, with our challenge', async () => {
    const { ask } = await openNotes(saying(401, ['Basic realm="inner"']))
    const headers = ['Accept: text/html', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document']
    const answer = await ask('GET /notes/mcp', { headers })
    expect(answer).toMatchObject({ status: 401, body: 'the inner body', complete: true })
    expect(answer.values('www-authenticate')).toEqual([expect.stringContaining(METADATA)])
  })
})

describe('E4, sr3: 403 of the server', () => {
  it('with a challenge is ours, with the scopes that we can give', async () => {
    const inner = `${INNER}, error="insufficient_scope", scope="write root"`
    const { ask } = await openNotes(saying(403, [inner]), {
      scopes: { mcp: 'Use it', write: 'Write' },
      requiredScopes: ['mcp'],
    })
    const answer = await ask('POST /notes/mcp', { body: '{}' })
    expect(answer.status).toBe(403)
    const [challenge] = answer.values('www-authenticate')
    expect(challenge).toMatch(/^Bearer error="insufficient_scope", /)
    expect(challenge).toContain(METADATA)
    expect(challenge).toMatch(/scope="mcp write"$/)
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'insufficient_scope' })
  })

  it('names a scope that stands without quotes', async () => {
    const inner = 'Bearer error=insufficient_scope, scope=write'
    const { ask } = await openNotes(saying(403, [inner]), {
      scopes: { write: 'Write', mcp: 'Use' },
    })
    const answer = await ask('POST /notes/mcp', { body: '{}' })
    expect(answer.values('www-authenticate')[0]).toMatch(/scope="write"$/)
  })

  it('about the credential that we have for it asks no client for more', async () => {
    const { ask } = await openNotes(saying(403, [`${INNER}, error="insufficient_scope"`]), {
      passThrough: { ...DEFAULT_PASS_THROUGH, authorization: 'Bearer ours' },
    })
    const answer = await ask('POST /notes/mcp', { body: '{}' })
    expect(answer).toMatchObject({ status: 403, body: 'the inner body', complete: true })
    expect(answer.values('www-authenticate')).toEqual([expect.not.stringContaining('error=')])
  })

  it('without a challenge is final: its own body, and where our metadata is', async () => {
    const { ask } = await openNotes(saying(403))
    const answer = await ask('POST /notes/mcp', { body: '{}' })
    expect(answer).toMatchObject({ status: 403, body: 'the inner body', complete: true })
    const [challenge] = answer.values('www-authenticate')
    expect(challenge).toContain(METADATA)
    expect(challenge).not.toContain('error=')
    expect(answer.values('set-cookie')).toEqual(['inner=1'])
  })
})

it('E4: no other answer carries a challenge of the server', async () => {
  const { ask } = await openNotes(saying(200, [INNER]))
  const answer = await ask('GET /notes/mcp')
  expect(answer).toMatchObject({ status: 200, body: 'the inner body' })
  expect(answer.values('www-authenticate')).toEqual([])
})

it.each([401, 403])('E4: %i is the server’s own where the resource says so', async (status) => {
  const { ask } = await openNotes(saying(status, [INNER, 'Basic realm="inner"']), {
    passThrough: { ...DEFAULT_PASS_THROUGH, challenges: 'own' },
  })
  const answer = await ask('POST /notes/mcp', { body: '{}' })
  expect(answer).toMatchObject({ status, body: 'the inner body', complete: true })
  expect(answer.values('www-authenticate')).toEqual([INNER, 'Basic realm="inner"'])
})
