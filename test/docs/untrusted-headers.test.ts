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
  UNTRUSTED_HEADERS,
  WRITTEN_BY_PROXIES,
} from '../../src/http/untrusted-headers.ts'
import { everyPage, ROOT, readPage } from '../support/documentation.ts'

/** As Go spells the name of a header. */
const spelledByGo = (name: string) =>
  name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase())

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
      expect(count(/authResponseHeadersRegex(?:=\^|: [&*'"])/g), path).toBe(
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
    const pattern = new RegExp(TRAEFIK_PATTERN)
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
})
