/**
 * Resources on the host of `PUBLIC_URL` (decision K36): a start names those that nothing keeps apart.
 */
import { describe, expect, it } from 'vitest'
import { type Given, load, loadYaml, problemsOf } from './harness.ts'

const GOOD = 'nU0o7QpY1xJ4rTz8vKcW3mBdLs6HfGae2iXq'
const ALLOW = 'allow: { emails: [ann@example.com] }\n'
const yamlOf = (url: string, more = '') =>
  `resources: { notes: { url: "${url}"${more && `, ${more}`} }, far: { url: https://mcp.example.com } }\n${ALLOW}`
const OWN = 'https://auth.example.com/mcp'
const UPSTREAM = 'upstream: http://notes:3000'

const live = (yaml: string) =>
  problemsOf(() => loadYaml(yaml, { env: { PROD_MODE: 'true', SECRET: GOOD } }))
const warnings = (yaml: string, env: Given['env'] = {}) => loadYaml(yaml, { env }).warnings

const REMEDY =
  'Give PUBLIC_URL a host of its own, or use the shipped files for one host and set shared_host: sandboxed in gatewarden.yaml.'

describe('at1, K36: a resource on the host of PUBLIC_URL', () => {
  it('is named where nothing keeps its pages apart, and refused under PROD_MODE', () => {
    const found = `resources.notes.url: ${OWN} is on the host of PUBLIC_URL, and its pages may be able to act as the people who sign in`
    expect(warnings(yamlOf(OWN))).toEqual([`${found}. ${REMEDY}`])
    expect(live(yamlOf(OWN))).toEqual([`${found}, which PROD_MODE refuses. ${REMEDY}`])
  })

  it('is named if only one more address is there', () => {
    const yaml = yamlOf('https://mcp.example.org/mcp', `aliases: [${OWN}]`)
    const found = `resources.notes.aliases: ${OWN} is on the host of PUBLIC_URL, and its pages may be able to act as the people who sign in`
    expect(warnings(yaml)).toEqual([`${found}. ${REMEDY}`])
    expect(live(yaml)).toEqual([`${found}, which PROD_MODE refuses. ${REMEDY}`])
  })

  it('is named in a flat list, too', () => {
    const env = { RESOURCES: `${OWN},https://mcp.example.com` }
    expect(load({ env }).warnings).toEqual([expect.stringMatching(/^RESOURCES: https:\/\/auth\./)])
    expect(problemsOf(() => load({ env: { ...env, PROD_MODE: 'true', SECRET: GOOD } }))).toEqual([
      expect.stringMatching(/^RESOURCES: .* which PROD_MODE refuses/),
    ])
  })

  it.each([UPSTREAM, 'shared_host: sandboxed', `shared_host: sandboxed, ${UPSTREAM}`])(
    'needs no word with %s',
    (more) => {
      expect(warnings(yamlOf(OWN, more))).toEqual([])
      expect(live(yamlOf(OWN, more))).toEqual([])
    },
  )

  it('needs no word with UPSTREAM_URL', () => {
    const env = { RESOURCES: OWN, UPSTREAM_URL: 'http://notes:3000' }
    expect(load({ env }).warnings).toEqual([])
  })

  it.each(['shared_host: pages', `shared_host: pages, ${UPSTREAM}`])(
    'is named and refused under PROD_MODE with %s',
    (more) => {
      const found =
        'resources.notes.shared_host: pages lets the pages of this server act as the people who sign in'
      const remedy = 'Give PUBLIC_URL a host of its own, or remove the setting.'
      expect(warnings(yamlOf(OWN, more))).toEqual([`${found}. ${remedy}`])
      expect(live(yamlOf(OWN, more))).toEqual([`${found}, which PROD_MODE refuses. ${remedy}`])
    },
  )

  it('PATH_PREFIX is told of, unless a server in a sandbox has the rest of the host', () => {
    const found = 'PATH_PREFIX: lets the pages of other programs on the host of PUBLIC_URL act as'
    const prefixed = (url: string, more = '') => `${yamlOf(url, more)}\npath_prefix: /auth-gw\n`
    const about = (lines: readonly string[]) =>
      lines.filter((line) => line.startsWith('PATH_PREFIX'))
    for (const yaml of [
      prefixed('https://mcp.example.com/mcp'),
      prefixed('https://auth.example.com/mcp', 'shared_host: sandboxed'),
    ]) {
      expect(about(warnings(yaml))).toEqual([expect.stringContaining(found)])
      expect(about(live(yaml))).toEqual([expect.stringContaining('which PROD_MODE refuses')])
    }
    const whole = prefixed('https://auth.example.com', 'shared_host: sandboxed')
    expect(about(warnings(whole))).toEqual([])
  })

  it.each([
    'http://auth.example.com/mcp',
    'https://AUTH.example.com.',
    'https://auth.example.com:443/x',
  ])('is recognised in the spelling %s', (url) => {
    expect(warnings(yamlOf(url)).filter((line) => line.includes('on the host of'))).toHaveLength(1)
  })

  it.each([
    'https://*.example.com',
    'https://auth.example.com:8443/mcp',
    'https://auth.example.org',
  ])('is none at %s', (url) => {
    expect(warnings(yamlOf(url))).toEqual([])
    expect(warnings(yamlOf(url, 'shared_host: sandboxed'))).toEqual([
      'resources.notes.shared_host: has no effect, because this resource is not on the host of PUBLIC_URL. Remove it.',
    ])
  })
})
