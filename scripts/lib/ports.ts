/**
 * Finds TCP ports on loopback.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'

/** Every address that `localhost` may mean on this machine, in the form of a URL. */
export function loopbackAddresses(): readonly string[] {
  const interfaces = Object.values(networkInterfaces()).flat()
  const hasIpv6 = interfaces.some((entry) => entry?.address === '::1')
  return ['127.0.0.1', ...(hasIpv6 ? ['[::1]'] : [])]
}

/** A port that was free on all of these addresses a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  return address.port
}

/**
 * The error code (such as `EADDRINUSE`) of listening on `port` at a loopback address; undefined if the port is free.
 */
export async function portProblem(port: number): Promise<string | undefined> {
  for (const address of loopbackAddresses()) {
    const server = createServer().listen({ port, host: address.replace(/[[\]]/g, '') })
    try {
      await once(server, 'listening')
    } catch (error) {
      return error instanceof Error && 'code' in error ? String(error.code) : String(error)
    } finally {
      server.close()
    }
  }
  return undefined
}
