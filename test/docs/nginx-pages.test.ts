/**
 * The nginx and ingress-nginx pages and files agree with the code, where both contain the same list or sentence.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { REMOVED_BY_NAME } from '../../scripts/lib/proxy-headers.ts'
import { IDENTITY_HEADERS } from '../../src/check/identity-headers.ts'
import { ROOT, readPage, tableRows } from '../support/documentation.ts'
import { annotation, readIngresses } from '../support/ingresses.ts'
import { sourceFiles } from './imports.ts'

const COPIED = ['Authorization', 'Cookie', 'X-Api-Key', ...Object.keys(IDENTITY_HEADERS)]

describe('deploy/nginx/gatewarden/protect.conf', () => {
  const text = readPage('deploy/nginx/gatewarden/protect.conf')

  it('takes every header from the answer, and puts it in the place of the client’s', () => {
    const taken = new Map(
      [...text.matchAll(/^auth_request_set (\$\w+) \$upstream_http_(\w+);$/gm)].map(
        ([, variable = '', name = '']) => [variable, name.replaceAll('_', '-')],
      ),
    )
    const sent = [...text.matchAll(/^proxy_set_header ([\w-]+) (\$\w+);$/gm)]
      .filter(([, , variable = '']) => taken.has(variable))
      .map(([, name = '', variable = '']) => [name, taken.get(variable)])
    const copied = [...COPIED, 'Cf-Access-Jwt-Assertion']
    expect(sent).toEqual(copied.map((name) => [name, name.toLowerCase()]))
  })
})

describe('the parts of the nginx files', () => {
  const folder = `${ROOT}deploy/nginx/gatewarden`

  it('count themselves', () => {
    const counted = readdirSync(folder).map(
      (name) => /^# .*?, (\d of \d): /.exec(readFileSync(`${folder}/${name}`, 'utf8'))?.[1],
    )
    expect(counted.sort()).toEqual(
      counted.map((_count, index) => `${index + 1} of ${counted.length}`),
    )
  })

  it('say the same of web pages as the Traefik files', () => {
    const traefik = parse(readPage('traefik/dynamic.yml')).http.middlewares['mcp-cors'].headers
    const http = readPage('deploy/nginx/gatewarden/http.conf')
    // Browsers do not count Authorization among `*`; nginx repeats what they ask for.
    expect(traefik.accessControlAllowHeaders).toEqual(['*', 'Authorization'])
    expect(http).toContain(`"${traefik.accessControlAllowMethods.join(', ')}";`)
    expect(http).toContain(`default "${traefik.accessControlExposeHeaders.join(', ')}";`)
    expect(http).toContain(`"~${traefik.accessControlAllowOriginListRegex[0]}"`)
  })
})

const ingresses = readIngresses()
const guarded = ingresses.filter((ingress) => annotation(ingress, 'auth-url') !== undefined)

describe('the manifests for ingress-nginx', () => {
  it('are four Ingresses, two with a login', () => {
    expect(ingresses.map(({ metadata }) => metadata.name)).toEqual([
      'gatewarden',
      'notes-discovery',
      'notes',
      'wiki',
    ])
    expect(guarded.map(({ metadata }) => metadata.name)).toEqual(['notes', 'wiki'])
  })

  it.each(guarded)('copy every header for $metadata.name, and ask about it alone', (ingress) => {
    expect(annotation(ingress, 'auth-response-headers')?.split(',')).toEqual([
      ...COPIED,
      ...REMOVED_BY_NAME,
    ])
    expect(annotation(ingress, 'auth-url')).toMatch(
      new RegExp(
        `^http://gatewarden\\.mcp\\.svc[^/]*:11000/auth/nginx/r/${ingress.metadata.name}$`,
      ),
    )
  })

  it('redirect no MCP client, and use nothing that drops a challenge or keeps an answer', () => {
    const risky = ['auth-keepalive', 'auth-cache-key', 'auth-snippet', 'rewrite-target']
    for (const ingress of guarded) {
      for (const name of risky) expect(annotation(ingress, name)).toBeUndefined()
      expect(annotation(ingress, 'auth-signin')).toBe(
        ingress.file === 'web-application.yaml'
          ? 'https://auth.example.com/.gatewarden/login'
          : undefined,
      )
    }
  })

  it('expose nothing of Gatewarden that only proxies ask', () => {
    const exposed = ingresses
      .flatMap(({ spec }) => spec.rules)
      .flatMap(({ http }) => http.paths)
      .filter(({ backend }) => backend.service.name === 'gatewarden')
    expect(exposed.length).toBeGreaterThan(20)
    const covers = ({ path, pathType }: (typeof exposed)[number], asked: string) =>
      asked === path || (pathType === 'Prefix' && asked.startsWith(`${path.replace(/\/$/, '')}/`))
    for (const asked of [
      '/auth',
      '/auth/nginx',
      '/auth/nginx/r/notes',
      '/verify',
      '/authenticate',
      '/_ws_tunnel',
      '/healthz',
      '/readyz',
      '/metrics',
    ]) {
      expect(exposed.filter((path) => covers(path, asked))).toEqual([])
    }
  })
})

describe.each(['nginx', 'ingress-nginx'])('the page of %s', (name) => {
  const source = sourceFiles()
    .map((file) => readFileSync(ROOT + file, 'utf8'))
    .join('\n')
  const page = readPage(`docs/proxies/${name}.md`)
  const quoted = [
    ...tableRows(page.split('\n## Trouble\n')[1] ?? '').map(([seen = '']) => seen),
    ...page.split('\n').filter((line) => line.startsWith('the log says ')),
  ].flatMap((text) => [...text.matchAll(/"([^"]+)"/g)].map(([, sentence = '']) => sentence))

  it.each(
    quoted.filter(
      (sentence) => !/^(gatewarden_check|auth_request|proxy_pass|\/etc\/nginx\/.*)$/.test(sentence),
    ),
  )('quotes what the program says: %s', (sentence) => {
    const missing = /^(X-[\w-]+) is missing$/.exec(sentence)?.[1]
    expect(source).toContain(missing === undefined ? sentence : `missing('${missing}')`)
  })

  it('quotes something', () => {
    expect(quoted.length).toBeGreaterThan(name === 'nginx' ? 8 : 1)
  })
})
