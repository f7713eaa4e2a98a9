/**
 * The one list of headers that a client must not send to a protected server, and the files that are made from it.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  FILES_WITH_HEADERS,
  REMOVED_BY_NAME,
  TRAEFIK_PATTERN,
  withHeaderLists,
} from '../../scripts/lib/proxy-headers.ts'
import { IDENTITY_HEADERS } from '../../src/check/identity-headers.ts'
import {
  canonicalName,
  isUntrusted,
  UNTRUSTED_FAMILIES,
  UNTRUSTED_HEADERS,
  WRITTEN_BY_PROXIES,
} from '../../src/http/untrusted-headers.ts'
import { everyPage, ROOT, readPage } from '../support/documentation.ts'

/** As Go spells the name of a header. */
const spelledByGo = (name: string) =>
  name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase())

/** Go's pattern in JavaScript, which ignores case by a flag. */
const inJavaScript = (pattern: string) => {
  expect(pattern.startsWith('(?i)^')).toBe(true)
  return new RegExp(pattern.slice('(?i)'.length), 'i')
}

describe('at8, T42: the list of headers that a client must not send', () => {
  it.each(FILES_WITH_HEADERS)('is up to date in %s (fix it with: npm run docs:headers)', (path) => {
    const text = readFileSync(ROOT + path, 'utf8')
    expect(text).toBe(withHeaderLists(text))
  })

  it('stands in every file that copies our headers', () => {
    const copying =
      /forwardauth\.authResponseHeaders=|authResponseHeaders:|\/auth-response-headers:/
    const files = [
      ...everyPage(),
      'traefik/dynamic.yml',
      'traefik/older/dynamic.yml',
      'deploy/ingress-nginx/mcp-server.yaml',
      'deploy/ingress-nginx/web-application.yaml',
    ]
    const found = files.filter((path) => copying.test(readPage(path)))
    expect([...found, 'deploy/nginx/gatewarden/protect.conf'].toSorted()).toEqual(
      [...FILES_WITH_HEADERS].toSorted(),
    )
    for (const path of found) {
      const text = readPage(path).replace(/^- .*$/gm, '')
      const count = (pattern: RegExp) => text.match(pattern)?.length ?? 0
      expect(count(/authResponseHeadersRegex(?:=\(\?i\)\^|: [&*'"])/g), path).toBe(
        count(/authResponseHeaders(?:=|:)/g),
      )
    }
  })

  it('has every identity header of ours, and each name once', () => {
    for (const name of Object.keys(IDENTITY_HEADERS))
      expect(isUntrusted(canonicalName(name))).toBe(true)
    expect(new Set(UNTRUSTED_HEADERS.map(canonicalName)).size).toBe(UNTRUSTED_HEADERS.length)
    for (const name of UNTRUSTED_HEADERS) expect(isUntrusted(canonicalName(name)), name).toBe(true)
  })

  it('leaves none out in the files: a proxy writes it, copies it or removes it', () => {
    const left = [...REMOVED_BY_NAME, ...WRITTEN_BY_PROXIES, ...Object.keys(IDENTITY_HEADERS)]
    expect(left.toSorted()).toEqual(UNTRUSTED_HEADERS.toSorted())
  })

  it('is a pattern of Traefik that matches every name but those that Traefik writes itself', () => {
    const pattern = inJavaScript(TRAEFIK_PATTERN)
    for (const name of UNTRUSTED_HEADERS) {
      expect(pattern.test(spelledByGo(name)), name).toBe(!WRITTEN_BY_PROXIES.includes(name))
    }
    const near = ['X-Forwarded-F', 'X-Forwarded-Forx', 'X-Forwarded-Hosts', 'X-Forwarded-Por']
    for (const name of [...near, 'X-Forwarded-Protocol', 'X-Forwarded-', 'X-User-Anything']) {
      expect(pattern.test(name), name).toBe(true)
    }
    for (const name of [
      'Authorization',
      'Cookie',
      'X-Api-User',
      'Forwarded-For',
      'Mcp-Session-Id',
    ]) {
      expect(pattern.test(name), name).toBe(false)
    }
  })

  it('sp4, CVE-2025-64484: is a pattern of Traefik that matches every other spelling of every name', () => {
    const pattern = inJavaScript(TRAEFIK_PATTERN)
    const families = UNTRUSTED_FAMILIES.map((family) => `${family}Invented`)
    const judged = 'Mcp-Session-Id'
    for (const name of [...UNTRUSTED_HEADERS, ...families, judged]) {
      // A place for each hyphen of the name, or of its family: a server may read any of them otherwise.
      for (const { index: at } of name.matchAll(/-/g)) {
        for (const separator of "_.!~|'*") {
          const spelling = name.slice(0, at) + separator + name.slice(at + 1)
          expect(pattern.test(spelledByGo(spelling)), spelling).toBe(true)
        }
      }
      for (const separator of '_.') {
        const spelling = name.replaceAll('-', separator)
        if (spelling !== name) expect(pattern.test(spelledByGo(spelling)), spelling).toBe(true)
      }
    }
  })

  it('sp4: leaves the headers of applications alone that only look alike', () => {
    const pattern = inJavaScript(TRAEFIK_PATTERN)
    for (const name of [
      'Remoteness',
      'Oidcfoo',
      'Xhost',
      'X_Api_Key',
      'Mcp-Session-Id',
      'X_Team',
    ]) {
      expect(pattern.test(name), name).toBe(false)
    }
    for (const name of WRITTEN_BY_PROXIES) expect(pattern.test(name), name).toBe(false)
  })
})
