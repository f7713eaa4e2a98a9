/**
 * `gatewarden healthcheck`: asks the running process on this machine whether it is alive. The image uses it.
 *
 * @module
 */
import { get } from 'node:http'
import { HEALTH_PATH } from '../paths.ts'
import { listenOrExplain } from './configured.ts'
import type { Command, Io } from './io.ts'
import { isWithoutIpv6 } from './listen-host.ts'

/** Exits with 1, never with 2, even for a bad configuration: Docker reserves every other code. */
export const healthcheck: Command = createHealthcheck({ limitMs: 3000 })

/** @param options `limitMs`: milliseconds until a process that does not answer counts as dead */
export function createHealthcheck(options: { limitMs: number }): Command {
  return (args, io) => check({ args, io, ...options })
}

async function check(options: {
  args: readonly string[]
  io: Io
  limitMs: number
}): Promise<number> {
  const { args, io, limitMs } = options
  const listen = listenOrExplain(args, io)
  if (!listen) return 1
  const { host, port } = listen
  // A process that listens on every address answers on the loopback of that family. Otherwise ask its own address.
  let target = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  try {
    const status = await statusOf({ host: target, port, limitMs }).catch((error: unknown) => {
      if (host !== '::' || !isWithoutIpv6(error)) throw error
      target = '127.0.0.1'
      return statusOf({ host: target, port, limitMs })
    })
    if (status === 200) return 0
    io.stderr.write(`/healthz answered ${status}\n`)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    io.stderr.write(`/healthz did not answer on ${target} port ${port}: ${reason}\n`)
  }
  return 1
}

/** Not the host of `PUBLIC_URL`, where the path may be an application's (`PATH_PREFIX`). */
const headers = { host: 'healthcheck.invalid' }

function statusOf(target: {
  host: string
  port: number
  limitMs: number
}): Promise<number | undefined> {
  const { host, port, limitMs } = target
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(limitMs)
    get({ host, port, path: HEALTH_PATH, headers, signal }, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).on('error', (error) =>
      reject(signal.aborted ? new Error(`no answer in ${limitMs / 1000} seconds`) : error),
    )
  })
}
