/**
 * The further addresses of a server: those that the operator lists, and on loopback every name of this machine. A client
 * compares the address in our documents with the one it asked (RFC 9728 section 3.3), so each address has its own.
 *
 * @module
 */
import { normalizeHost } from '../url/host.ts'

/** A server as configured, as far as its addresses go. */
interface Addressed {
  readonly url: string
  readonly aliases?: readonly string[]
}

export interface SecondName<Config> {
  readonly config: Config
  /** In the same form as `config.url`. */
  readonly url: string
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]']

/**
 * Every second name of every server. A name of this machine that the configuration uses for any address, `PUBLIC_URL`
 * included, stands for that address alone.
 */
export function secondNames<Config extends Addressed>(
  configured: readonly Config[],
  publicUrl: string | undefined,
): SecondName<Config>[] {
  const listed = configured.flatMap((config) =>
    (config.aliases ?? []).map((url) => ({ config, url })),
  )
  const named = [...configured.map((config) => ({ config, url: config.url })), ...listed]
  const taken = new Set(
    [...named.map(({ url }) => url), ...(publicUrl === undefined ? [] : [publicUrl])].map(hostOf),
  )
  const onLoopback = named.flatMap(({ config, url }) =>
    loopbackNames(url)
      .filter((name) => !taken.has(hostOf(name)))
      .map((name) => ({ config, url: name })),
  )
  return [...listed, ...onLoopback]
}

/** The same URL under every name of this machine; empty if its host is none of them. */
function loopbackNames(url: string): string[] {
  const parts = /^(https?:\/\/)(localhost|127\.0\.0\.1|\[::1\])((?::\d+)?(?:\/.*)?)$/.exec(url)
  if (!parts) return []
  const [, scheme = '', , rest = ''] = parts
  return LOOPBACK_NAMES.map((name) => scheme + name + rest)
}

/**
 * The open paths of a server at a second name: a path below the configured URL is as far below that name, where the
 * server gets the same request.
 */
export function movedPaths(
  { url, openPaths = [] }: { readonly url: string; readonly openPaths?: readonly string[] },
  alias: string,
): string[] {
  const [from, to] = [pathOf(url), pathOf(alias)]
  return openPaths.map((path) =>
    path.startsWith(`${from}/`) ? to + path.slice(from.length) : path,
  )
}

const pathOf = (url: string) => new URL(url).pathname.replace(/\/$/, '')

function hostOf(url: string): string {
  const { host } = new URL(url)
  return normalizeHost(host) ?? host
}
