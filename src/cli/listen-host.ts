/**
 * The address to listen on: `::` serves IPv6 and IPv4, but not every machine has IPv6.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer } from 'node:net'

/** What a machine answers that knows no IPv6, or has no IPv6 address. */
const NO_IPV6: ReadonlySet<unknown> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT'])

/** True for the failure of a socket because this machine has no IPv6. */
export const isWithoutIpv6 = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && NO_IPV6.has(error.code)

/**
 * `0.0.0.0` instead of `::` on a machine without IPv6; any other host as it is.
 * @param bind opens and closes a socket on the host, or rejects as Node does
 */
export async function hostToBind(
  host: string,
  bind: (host: string) => Promise<void> = bindOnce,
): Promise<string> {
  if (host !== '::') return host
  try {
    await bind(host)
    return host
  } catch (error) {
    // Any other problem is reported by listening itself.
    return isWithoutIpv6(error) ? '0.0.0.0' : host
  }
}

async function bindOnce(host: string): Promise<void> {
  const server = createServer()
  await once(server.listen({ host, port: 0 }), 'listening')
  server.close()
  await once(server, 'close')
}

/** `host:port`, with brackets around an IPv6 address. */
export function hostAndPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
