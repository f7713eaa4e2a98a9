/**
 * The connection to a server behind us that ends while nobody reads its answer, as behind a slow client.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { Agent } from 'undici'
import { describe, expect, it } from 'vitest'
import { createSteadyConnector } from '../../src/proxy/steady-connection.ts'
import { afterTest } from '../support/clean-ups.ts'

/** Sends an answer as written, then ends the connection; returns all that a reader gets who pauses at each piece. */
async function readSlowly(answer: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(answer))
  }).listen(0, '127.0.0.1')
  afterTest(() => void server.close())
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  const agent = new Agent({ connect: createSteadyConnector({ timeout: 1000 }) })
  afterTest(() => agent.destroy())
  return new Promise((resolve) => {
    let got = ''
    agent.dispatch(
      { origin: `http://127.0.0.1:${address.port}`, path: '/', method: 'GET' },
      {
        onRequestStart: () => undefined,
        onResponseStart: () => undefined,
        onResponseData(controller, chunk) {
          if (chunk.length === 0) return
          got += chunk.toString('latin1')
          controller.pause()
          void (async () => {
            // The end of the connection arrives meanwhile.
            for (let i = 0; i < 50; i += 1) await turn()
            controller.resume()
          })()
        },
        onResponseEnd: () => resolve(`${got} and its end`),
        onResponseError: () => resolve(`${got} and an error`),
      },
    )
  })
}

const HEAD = 'HTTP/1.1 200 OK\r\nConnection: close\r\n'

describe('a reader that is paused when the connection ends', () => {
  it.each([
    ['without a length', `${HEAD}\r\nwhole`],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nwhole'],
    ['with its length', `${HEAD}Content-Length: 5\r\n\r\nwhole`],
    ['in chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n`],
  ])('gets the whole of an answer %s', async (_name, answer) => {
    expect(await readSlowly(answer)).toBe('whole and its end')
  })

  it.each([
    ['shorter than its length', `${HEAD}Content-Length: 9\r\n\r\nhalf`],
    ['without its last chunk', `${HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`],
  ])('gets an error for an answer %s', async (_name, answer) => {
    expect(await readSlowly(answer)).toBe('half and an error')
  })
})
