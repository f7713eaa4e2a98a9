/**
 * The process: its time to listen, its memory, and the size of its store after many strangers.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { flood } from './load.ts'
import { createProgram, residentMiB } from './program.ts'
import { table } from './under-test.ts'

const IDLE_MS = 30_000
const STRANGERS = 100_000
/** The requests of each invented address: fewer than its rate limit. */
const PER_ADDRESS = 500

export async function benchProcess(folder: string): Promise<void> {
  const program = await createProgram(folder, () => ({}))
  const { port } = program
  await (await program.start()).stop()
  const started = performance.now()
  const gateway = await program.start()
  const listening = performance.now() - started
  await delay(IDLE_MS)
  const idle = await residentMiB(gateway.pid)

  const store = join(folder, `data-${port}`, 'store', 'data.mdb')
  const before = statSync(store).size
  const registrations = await strangers(port, (i) => registration(port, i))
  const clientId = await register(port)
  const authorizations = await strangers(port, (i) => authorization(port, clientId, i))
  const after = statSync(store).size
  const loaded = await residentMiB(gateway.pid)
  await gateway.stop()
  table(
    ['value', 'measured'],
    [
      ['`listening` with keys present', `${Math.round(listening)} ms`],
      ['resident after 30 s idle', `${idle} MiB`],
      ['resident after the rows below', `${loaded} MiB`],
      [`${STRANGERS.toLocaleString('en')} registrations`, `${Math.round(registrations)} a second`],
      [
        `${STRANGERS.toLocaleString('en')} authorization requests`,
        `${Math.round(authorizations)} a second`,
      ],
      ['store before, after', `${before} bytes, ${after} bytes`],
    ],
  )
}

/** @returns requests a second @throws Error if an answer has another status */
async function strangers(
  port: number,
  request: (address: number) => { bytes: Buffer; status: number },
): Promise<number> {
  const started = performance.now()
  for (let address = 0; address * PER_ADDRESS < STRANGERS; address++) {
    const { bytes, status } = request(address)
    const answer = await flood({ port, request: bytes }, { count: PER_ADDRESS, connections: 16 })
    if (answer.status !== status) throw new Error(`answered ${answer.status}, not ${status}`)
  }
  return STRANGERS / ((performance.now() - started) / 1000)
}

const forwardedFor = (i: number) => `X-Forwarded-For: 10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`
const REGISTRATION = JSON.stringify({
  client_name: 'Stranger',
  redirect_uris: ['http://127.0.0.1/callback'],
  token_endpoint_auth_method: 'none',
})

function registration(port: number, i: number): { bytes: Buffer; status: number } {
  const head = [
    'POST /register HTTP/1.1',
    `Host: localhost:${port}`,
    forwardedFor(i),
    'Content-Type: application/json',
    `Content-Length: ${REGISTRATION.length}`,
  ]
  return { bytes: Buffer.from(`${head.join('\r\n')}\r\n\r\n${REGISTRATION}`), status: 201 }
}

async function register(port: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: REGISTRATION,
  })
  const body: unknown = await answer.json()
  if (typeof body !== 'object' || body === null || !('client_id' in body)) throw new Error('no id')
  return String(body.client_id)
}

function authorization(
  port: number,
  clientId: string,
  i: number,
): { bytes: Buffer; status: number } {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: 'http://127.0.0.1:4711/callback',
    code_challenge: createHash('sha256').update('v').digest('base64url'),
    code_challenge_method: 'S256',
  })
  const head = [
    `GET /authorize?${query} HTTP/1.1`,
    `Host: localhost:${port}`,
    forwardedFor(i),
    'Accept: text/html',
  ]
  return { bytes: Buffer.from(`${head.join('\r\n')}\r\n\r\n`), status: 200 }
}
