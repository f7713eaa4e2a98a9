/**
 * Bodies and headers of every size through the shipped files of every front: the answer is always the server's own, or
 * the challenge.
 *
 * @module
 */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:http2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signInByHand } from './support/hand-client.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'
import { isSkipped } from './support/tools.ts'
import { startWorld, type World } from './support/world.ts'

const FRONTS = [
  { front: 'nginx', twoHosts: false },
  { front: 'nginx', twoHosts: true },
  { front: 'traefik', twoHosts: false },
  { front: 'traefik', twoHosts: true },
] as const
const SIZES = [0, 1, 1_100_000, 50_000_000]
const CHUNK = Buffer.alloc(64 * 1024, 'x')

/** Answers with the number of bytes of the body. */
const startCounter = () =>
  startRecordingServer(async (asked, response) => {
    let size = 0
    for await (const chunk of asked) size += Buffer.from(chunk).length
    response.end(String(size))
  })

interface Answer {
  readonly status: number | undefined
  readonly challenge: string | undefined
  readonly body: string
}

describe.each(FRONTS)('behind $front, two hosts: $twoHosts', ({ front, twoHosts }) => {
  describe.skipIf(isSkipped(front))('with the shipped files', () => {
    let world: World
    let app: RecordingServer
    let authorization: string

    beforeAll(async () => {
      app = await startCounter()
      world = await startWorld({ front, twoHosts, upstream: app.address })
      const { tokens } = await signInByHand({
        issuer: world.publicUrl,
        resource: world.mcpUrl,
        person: world.ann,
      })
      authorization = `Bearer ${tokens.access_token}`
    })
    afterAll(async () => {
      await world?.stop()
      await app?.close()
    })

    async function send(
      method: string,
      headers: Record<string, string>,
      size: number,
      url = world.mcpUrl,
    ): Promise<Answer> {
      const outgoing = request(url, {
        method,
        headers,
        agent: false,
        signal: AbortSignal.timeout(30_000),
      })
      const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>
      let isAnswered = false
      outgoing.once('response', () => {
        isAnswered = true
      })
      // An early answer may end the connection while the body is still on its way.
      outgoing.on('error', () => undefined)
      for (let left = size; left > 0 && !outgoing.destroyed; left -= CHUNK.length) {
        const isFull = !outgoing.write(CHUNK.subarray(0, left))
        // Go's server, and so Traefik, resets the connection of a refused request whose long body it did not read. A
        // client that goes on sending meanwhile may lose the answer, whoever refused.
        if (front === 'traefik' && !('authorization' in headers)) await answered
        else if (isFull && !isAnswered) await Promise.race([once(outgoing, 'drain'), answered])
      }
      outgoing.end()
      const [incoming] = await answered
      const chunks: string[] = []
      for await (const chunk of incoming.setEncoding('utf8')) chunks.push(String(chunk))
      return {
        status: incoming.statusCode,
        challenge: incoming.headers['www-authenticate'],
        body: chunks.join(''),
      }
    }

    const framings = SIZES.flatMap((size) => [
      { size, framing: 'a length' },
      { size, framing: 'no length' },
    ])
    const headersOf = (size: number, framing: string): Record<string, string> =>
      framing === 'a length'
        ? { 'content-length': String(size) }
        : { 'transfer-encoding': 'chunked' }

    it.each(framings)('ed27: a body of $size bytes with $framing arrives', async (each) => {
      const headers = { authorization, ...headersOf(each.size, each.framing) }
      for (const method of ['POST', 'PUT']) {
        const answer = await send(method, headers, each.size)
        expect([answer.status, answer.body]).toEqual([200, String(each.size)])
      }
    })

    it.each(framings.filter(({ size }) => size < 10_000_000))(
      'ed27: a body of $size bytes with $framing and no token gets the challenge',
      async ({ size, framing }) => {
        const before = app.requests.length
        const answer = await send('POST', headersOf(size, framing), size)
        expect(answer.status).toBe(401)
        expect(answer.challenge).toContain('resource_metadata=')
        expect(app.requests.length).toBe(before)
      },
    )

    it.each(['HEAD', 'OPTIONS', 'GET', 'DELETE'])('ed27: %s needs no body', async (method) => {
      expect((await send(method, { authorization }, 0)).status).toBe(200)
      expect((await send(method, {}, 0)).status).toBe(401)
    })

    it.each(['/register', '/token', '/revoke'])(
      'ed28: a client that sends 2 MB to %s reads why it is refused',
      async (path) => {
        for (const framing of ['a length', 'no length']) {
          const type = path === '/register' ? 'json' : 'x-www-form-urlencoded'
          const headers = {
            'content-type': `application/${type}`,
            ...headersOf(2_000_000, framing),
          }
          const answer = await send('POST', headers, 2_000_000, world.publicUrl + path)
          expect(answer.status).toBe(413)
          expect(JSON.parse(answer.body)).toEqual({
            error: 'invalid_request',
            error_description: 'the body is too large',
          })
        }
      },
    )

    it('ed27: headers of 20 kB arrive beside a large body', async () => {
      const size = 1_100_000
      const headers = {
        authorization,
        'x-long': 'x'.repeat(20_000),
        cookie: 'a='.padEnd(20_000, 'x'),
      }
      const answer = await send('POST', { ...headers, 'content-length': String(size) }, size)
      expect([answer.status, answer.body]).toEqual([200, String(size)])
      const { authorization: _token, ...anonymous } = headers
      expect((await send('POST', { ...anonymous, 'content-length': '0' }, 0)).status).toBe(401)
    })
  })
})

describe.each(['nginx', 'traefik'] as const)('behind %s over HTTP/2', (front) => {
  describe.skipIf(isSkipped(front))('with the shipped files', () => {
    let world: World
    let app: RecordingServer

    beforeAll(async () => {
      app = await startCounter()
      world = await startWorld({
        front,
        tls: true,
        upstream: app.address,
        changeNginx: (text) => text.replaceAll(' ssl;', ' ssl http2;'),
      })
    })
    afterAll(async () => {
      await world?.stop()
      await app?.close()
    })

    it.each(SIZES)('ed27: a body of %i bytes arrives, or gets the challenge', async (size) => {
      const { tokens } = await signInByHand({
        issuer: world.publicUrl,
        resource: world.mcpUrl,
        person: world.ann,
      })
      const url = new URL(world.mcpUrl)
      for (const [credential, status] of [
        [{ authorization: `Bearer ${tokens.access_token}` }, 200],
        [{}, 401],
      ] as const) {
        if (status === 401 && size > 10_000_000) continue
        for (const length of [{ 'content-length': String(size) }, {}]) {
          const session = connect(url.origin, { rejectUnauthorized: false })
          const stream = session.request({
            ':method': 'POST',
            ':path': url.pathname,
            ...credential,
            ...length,
          })
          stream.on('error', () => undefined)
          const answered = once(stream, 'response')
          stream.end(Buffer.alloc(size, 'x'))
          const [headers] = await answered
          expect(headers[':status']).toBe(status)
          if (status === 200) {
            let body = ''
            for await (const chunk of stream.setEncoding('utf8')) body += String(chunk)
            expect(body).toBe(String(size))
          } else {
            expect(headers['www-authenticate']).toContain('resource_metadata=')
          }
          session.destroy()
        }
      }
    })
  })
})
