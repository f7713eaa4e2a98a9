/**
 * Addresses as strangers write them: hosts, paths, IP addresses, parameters and redirect URIs have one reading each.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OAuthError } from '../../src/errors.ts'
import { sameRedirectUri } from '../../src/oauth/redirect-uri.ts'
import { HOST, isOwnHost, normalizeHost } from '../../src/url/host.ts'
import { parseIpAddress } from '../../src/url/ip-address.ts'
import { parseParameters } from '../../src/url/parameters.ts'
import { canonicalPath, looselyRead, readPath } from '../../src/url/path.ts'
import { isSpecialUse } from '../../src/url/special-use.ts'
import { bounded } from './runs.ts'

const path = fc
  .array(
    fc.oneof(
      fc.constantFrom('/', '//', '.', '..', '%2e', '%2F', '%5c', '%25', ';', '\\', '%00', '?', '#'),
      fc.string({ maxLength: 5 }),
      fc.stringMatching(/^[a-z0-9._~-]{1,6}$/),
    ),
    { maxLength: 12 },
  )
  .map((parts) => `/${parts.join('')}`)

describe('a path', () => {
  it('that is read is read the same way again', () => {
    fc.assert(
      fc.property(path, (text) => {
        const read = readPath(text)
        if (read) expect(readPath(read.canonical)).toEqual(read)
      }),
      bounded(),
    )
  })

  it('that is matched has the segments that a URL parser sees', () => {
    fc.assert(
      fc.property(path, (text) => {
        const canonical = canonicalPath(text)
        if (canonical === undefined) return
        const { pathname } = new URL(canonical, 'https://host.test')
        expect(pathname.split('/').length).toBe(canonical.split('/').length)
      }),
      bounded(),
    )
  })

  it('below another stays below it when both are read as a forgiving server does', () => {
    const plain = fc.stringMatching(/^(?:\/[a-zA-Z0-9_~-]{1,5}){1,3}$/)
    fc.assert(
      fc.property(plain, plain, (above, rest) => {
        expect(looselyRead(above + rest)?.startsWith(`${looselyRead(above)}/`)).toBe(true)
      }),
      bounded(),
    )
  })
})

describe('a host', () => {
  const name = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,8}[a-z0-9])?(?:\.[a-z]{2,5}){1,2}$/)

  it('has one spelling', () => {
    fc.assert(
      fc.property(
        fc.oneof(name, fc.stringMatching(new RegExp(HOST.source)), fc.string()),
        (text) => {
          const host = normalizeHost(text)
          if (host !== undefined) expect(normalizeHost(host)).toBe(host)
        },
      ),
      bounded(),
    )
  })

  it('is ours in every spelling, and no other one is', () => {
    fc.assert(
      fc.property(
        name,
        name,
        fc.boolean(),
        fc.constantFrom('', '.', ':443', '.:443'),
        (ours, other, upper, end) => {
          const spelt = (upper ? ours.toUpperCase() : ours) + end
          expect(isOwnHost(spelt, `https://${ours}`)).toBe(true)
          if (other !== ours) expect(isOwnHost(other + end, `https://${ours}`)).toBe(false)
        },
      ),
      bounded(),
    )
  })
})

describe('an IP address', () => {
  it('has one spelling, with brackets, port or in IPv6', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = parseIpAddress(text)
        expect(address).toBeDefined()
        if (address === undefined) return
        expect(parseIpAddress(address)).toBe(address)
        const wrapped = address.includes(':') ? `[${address}]:8080` : `${address}:8080`
        expect(parseIpAddress(wrapped)).toBe(address)
        if (!address.includes(':')) expect(parseIpAddress(`::ffff:${address}`)).toBe(address)
      }),
      bounded(),
    )
  })

  it('of a private network is special in each form that carries it', () => {
    const byte = fc.nat(255)
    const special = fc.oneof(
      fc.tuple(fc.constant(10), byte, byte, byte),
      fc.tuple(fc.constant(127), byte, byte, byte),
      fc.tuple(fc.constant(169), fc.constant(254), byte, byte),
      fc.tuple(fc.constant(192), fc.constant(168), byte, byte),
      fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), byte, byte),
    )
    fc.assert(
      fc.property(special, ([a, b, c, d]) => {
        const hex = [a * 256 + b, c * 256 + d].map((word) => word.toString(16))
        for (const form of [
          [a, b, c, d].join('.'),
          `::ffff:${hex.join(':')}`,
          `64:ff9b::${hex.join(':')}`,
          `64:ff9b:1::${hex.join(':')}`,
          `2002:${hex.join(':')}::1`,
          `2001:db8::5efe:${hex.join(':')}`,
        ]) {
          expect(isSpecialUse(form), form).toBe(true)
        }
      }),
      bounded(),
    )
  })

  it('is never a public one if it is no address', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        if (parseIpAddress(text) === undefined) expect(isSpecialUse(text)).toBe(true)
      }),
      bounded(),
    )
  })
})

describe('parameters', () => {
  it('are those that a browser encodes, in order', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 20 })
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 20 }), (pairs) => {
        const encoded = new URLSearchParams(pairs).toString()
        const read = [...parseParameters(encoded)].flatMap(([name, values]) =>
          values.map((value) => [name, value]),
        )
        const sorted = (list: string[][]) => list.map((pair) => JSON.stringify(pair)).toSorted()
        expect(sorted(read)).toEqual(sorted([...new URLSearchParams(encoded)]))
      }),
      bounded(),
    )
  })

  it('of any bytes are read, or refused as a bad request', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.uint8Array({ maxLength: 200 })), (encoded) => {
        try {
          parseParameters(encoded)
        } catch (error) {
          expect(error).toBeInstanceOf(OAuthError)
        }
      }),
      bounded(),
    )
  })
})

describe('a redirect URI', () => {
  const tail = fc.stringMatching(/^(?:\/[a-z0-9]{0,5}){0,3}(?:\?[a-z]=[0-9])?$/)
  const port = fc.integer({ min: 1, max: 65_535 })

  it('of this computer matches on any port, with the same host, path and query alone', () => {
    const host = fc.constantFrom('127.0.0.1', '[::1]', 'localhost')
    fc.assert(
      fc.property(host, host, port, port, tail, tail, (a, b, one, two, rest, other) => {
        const registered = `http://${a}:${one}${rest}`
        expect(sameRedirectUri(`http://${a}:${two}${rest}`, registered)).toBe(true)
        const isSame = a === b && (rest || '/') === (other || '/')
        expect(sameRedirectUri(`http://${b}:${two}${other}`, registered)).toBe(isSame)
      }),
      bounded(),
    )
  })

  it('of another computer matches itself alone', () => {
    fc.assert(
      fc.property(fc.webUrl(), fc.webUrl(), (a, b) => {
        expect(sameRedirectUri(a, b)).toBe(a === b)
      }),
      bounded(),
    )
  })
})
