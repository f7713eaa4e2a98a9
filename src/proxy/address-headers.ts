/**
 * Rewrites the headers of an answer that name an address of the server behind us: `Location`, `Content-Location`, `Link`,
 * `Refresh`, and `Path` and `Domain` of a cookie. No inner address in them reaches a client.
 *
 * @module
 */
import type { AddressMap } from './address-map.ts'

/**
 * @param headers a flat list of names and values for the client, whose values it changes
 * @param from the request target at the upstream that it answers
 * @returns the list without the lines that hold no address
 */
export function withPublicAddresses(headers: string[], map: AddressMap, from: string): string[] {
  const dropped: number[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const value = headers[i + 1] ?? ''
    const rewritten = rewrite(headers[i] ?? '', value)
    if (rewritten === undefined) dropped.push(i)
    else headers[i + 1] = rewritten
  }
  return dropped.length === 0
    ? headers
    : headers.filter((_, index) => !dropped.includes(index - (index % 2)))

  function rewrite(name: string, value: string): string | undefined {
    switch (name.length) {
      case 'link'.length:
        return /^link$/i.test(name) ? value.replace(TARGET, link) : value
      case 'location'.length:
        return /^location$/i.test(name) ? map.toClient(value, from) : value
      case 'content-location'.length:
        return /^content-location$/i.test(name) ? map.toClient(value, from) : value
      case 'refresh'.length:
        return /^refresh$/i.test(name) ? refresh(value) : value
      case 'set-cookie'.length:
        return /^set-cookie$/i.test(name) ? cookie(value) : value
      default:
        return value
    }
  }

  function link(whole: string, before: string, address: string): string {
    const rewritten = map.toClient(address, from)
    return rewritten === undefined ? whole : `${before}<${rewritten}>`
  }

  function refresh(value: string): string | undefined {
    const [whole, before = '', quote = '', address = ''] = REFRESH.exec(value) ?? []
    if (whole === undefined) return value
    const rewritten = map.toClient(address, from)
    return rewritten === undefined ? undefined : before + quote + rewritten + quote
  }

  function cookie(value: string): string {
    const [pair = '', ...attributes] = value.split(';')
    if (attributes.length === 0) return value
    // A cookie for the whole host comes back as it is. A browser refuses a `__Host-` cookie with any other path.
    const isOfHost = /^\s*__host-/i.test(pair)
    const kept = attributes.flatMap((attribute) => {
      const [, name = '', text = ''] = /^\s*([^=\s]*)\s*=?\s*(.*?)\s*$/s.exec(attribute) ?? []
      if (/^path$/i.test(name) && !isOfHost && /^\/./.test(text)) {
        const path = map.publicPath(text)
        return path === undefined || path === text ? [attribute] : [` Path=${path}`]
      }
      // A browser refuses the cookie of a domain that is not the host's.
      const isInner = /^domain$/i.test(name) && isSameName(text, map.innerName)
      return isInner ? [] : [attribute]
    })
    return [pair, ...kept].join(';')
  }
}

/** The target of each link of a list (RFC 8288 section 3). */
const TARGET = /((?:^|,)\s*)<([^<>]*)>/g

/** A number of seconds and an address (HTML section 4.2.5.3, "http-equiv=refresh"). */
const REFRESH = /^(\s*[\d.]+\s*[;,]\s*(?:url\s*=\s*)?)(["']?)(.+?)\2\s*$/is

const isSameName = (written: string, name: string) =>
  written.replace(/^\./, '').toLowerCase() === name.toLowerCase()
