import { createServer, type RequestListener, type Server } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { createHealthcheck, healthcheck } from '../../src/cli/healthcheck.ts'
import { BASE, USERS } from '../config/harness.ts'
import { run } from './harness.ts'

let server: Server | undefined

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
  server = undefined
})

/** Starts a server that answers as `listener` does, and returns its port. */
async function listening(listener: RequestListener, host = '::'): Promise<string> {
  const started = createServer(listener)
  server = started
  await new Promise<void>((resolve) => started.listen(0, host, resolve))
  const address = started.address()
  return typeof address === 'object' && address ? String(address.port) : ''
}

const check = (port: string) => run(healthcheck, { env: { ...BASE, PORT: port }, yaml: USERS })

describe('healthcheck', () => {
  it('asks /healthz on the configured port', async () => {
    const asked: string[] = []
    const port = await listening((request, response) => {
      asked.push(request.url ?? '')
      response.end()
    })
    expect(await check(port)).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(asked).toEqual(['/healthz'])
  })

  it('exits with 1 for any other answer', async () => {
    const port = await listening((_request, response) => response.writeHead(503).end())
    expect(await check(port)).toEqual({ code: 1, stdout: '', stderr: '/healthz answered 503\n' })
  })

  it('exits with 1 if nothing listens', async () => {
    const port = await listening(() => undefined)
    await new Promise((resolve) => server?.close(resolve))
    const { code, stderr } = await check(port)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^\/healthz did not answer on ::1 port \d+: /)
  })

  it('needs only host and port: the process may have got its other settings as flags', async () => {
    const port = await listening((_request, response) => response.end())
    expect(await run(healthcheck, { env: { PORT: port } })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    })
  })

  it('ed24: asks the family that is bound', async () => {
    const port = await listening((_request, response) => response.end(), '127.0.0.1')
    const env = (HOST: string) => ({ env: { ...BASE, PORT: port, HOST }, yaml: USERS })
    expect((await run(healthcheck, env('0.0.0.0'))).code).toBe(0)
    expect((await run(healthcheck, env('127.0.0.1'))).code).toBe(0)
    const ipv6 = await run(healthcheck, env('::'))
    expect(ipv6.code).toBe(1)
    expect(ipv6.stderr).toContain('::1')
  })

  it('exits with 1, which Docker understands, for an invalid port', async () => {
    expect((await run(healthcheck, { env: { ...BASE, PORT: 'x' } })).code).toBe(1)
  })

  it('gives up on a process that accepts the connection and does not answer', async () => {
    const port = await listening(() => undefined)
    const impatient = createHealthcheck({ limitMs: 20 })
    const { code, stderr } = await run(impatient, { env: { ...BASE, PORT: port }, yaml: USERS })
    expect(code).toBe(1)
    expect(stderr).toContain('no answer in 0.02 seconds')
  })
})
