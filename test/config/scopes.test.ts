import { describe, expect, it } from 'vitest'
import { load, loadYaml, problemsOf } from './harness.ts'

const flat = (env: Record<string, string>) => {
  const [resource] = load({ env }).config.resources
  return [resource?.scopes, resource?.requiredScopes, resource?.defaultScopes]
}
const yaml = (fields: string) =>
  `allow: { emails: ["*"] }\nresources:\n  a: { url: https://a.example.com, ${fields} }\n`
const mapped = (fields: string, env = {}) => {
  const [resource] = loadYaml(yaml(fields), { env }).config.resources
  return [resource?.scopes, resource?.requiredScopes, resource?.defaultScopes]
}
const problems = (fields: string, env = {}) => problemsOf(() => loadYaml(yaml(fields), { env }))

describe('scopes of a resource', () => {
  it('are only mcp if no setting names a scope', () => {
    expect(flat({})).toEqual([{ mcp: 'Use this server' }, [], ['mcp']])
  })

  it('get a sentence made from their name if they have no description', () => {
    expect(flat({ ALLOWED_SCOPES: 'notes:read,notes:write' })).toEqual([
      { 'notes:read': 'Use "notes:read"', 'notes:write': 'Use "notes:write"' },
      [],
      ['notes:read', 'notes:write'],
    ])
  })

  it('are granted by default: the default ones, else the required ones, else all', () => {
    const scopes = 'scopes: { r: Read, w: Write, x: Run }'
    expect(mapped(scopes)[2]).toEqual(['r', 'w', 'x'])
    expect(mapped(`${scopes}, required_scopes: [r]`)[2]).toEqual(['r'])
    expect(mapped(`${scopes}, required_scopes: [r], default_scopes: [w]`)[2]).toEqual(['w'])
  })

  it('are offered if they are required and no setting says which are offered', () => {
    expect(flat({ REQUIRED_SCOPES: 'r' })).toEqual([{ r: 'Use "r"' }, ['r'], ['r']])
  })

  it('B8: may be unknown at the start where the server may say them, and nowhere else', () => {
    const started = (more: string) =>
      problemsOf(() =>
        loadYaml(`${yaml(more)}static_tokens:
  ci: { token: a-token-that-is-long-enough-for-this, scopes: [said] }
clients:
  - { client_id: bot, client_secret: a client secret that is long enough, grant_types: [client_credentials], scopes: [said] }
`),
      )
    expect(started('scopes_endpoint: "http://a:3000"')).toEqual([])
    expect(started('upstream: "http://a:3000"')).toEqual([])
    expect(started('required_scopes: []')).toHaveLength(2)
    expect(started('scopes: { x: X }, scopes_endpoint: "http://a:3000"')).toHaveLength(2)
  })

  it('of a resource replace the global ones, even an empty list of required ones', () => {
    const env = { ALLOWED_SCOPES: 'g', REQUIRED_SCOPES: 'g' }
    expect(mapped('name: A', env)).toEqual([{ g: 'Use "g"' }, ['g'], ['g']])
    expect(mapped('required_scopes: []', env)[1]).toEqual([])
  })

  it('are refused if they are required but not offered', () => {
    expect(problemsOf(() => load({ env: { ALLOWED_SCOPES: 'a', REQUIRED_SCOPES: 'b' } }))).toEqual([
      'REQUIRED_SCOPES: "b" is not an offered scope. Add it to ALLOWED_SCOPES.',
    ])
    expect(problems('scopes: { a: A }, required_scopes: [b], default_scopes: [c]')).toEqual([
      'resources.a.required_scopes: "b" is not an offered scope. Add it to resources.a.scopes.',
      'resources.a.default_scopes: "c" is not an offered scope. Add it to resources.a.scopes.',
    ])
    expect(problems('scopes: { a: A }', { REQUIRED_SCOPES: 'g' })).toEqual([
      'resources.a.scopes: lacks "g", which REQUIRED_SCOPES requires. Add it, or set required_scopes for this resource.',
    ])
  })

  it.each(['a"b', 'a\\\\b', 'a b', 'ä'])(
    'are scope-tokens of RFC 6749 section 3.3: %s is not one',
    (scope) => {
      expect(problems(`required_scopes: ['${scope}']`)).toEqual([
        expect.stringMatching(
          /^resources\.a\.required_scopes: .+ is not a scope\. Use printable ASCII/,
        ),
      ])
      expect(problems(`scopes: { '${scope}': Words }`)).toEqual([
        expect.stringMatching(/^resources\.a\.scopes: .+ is not a scope\./),
      ])
    },
  )

  it('never include offline_access', () => {
    expect(problemsOf(() => load({ env: { ALLOWED_SCOPES: 'offline_access' } }))).toEqual([
      expect.stringMatching(/^ALLOWED_SCOPES: offline_access is not a scope of a server/),
    ])
    expect(problems('scopes: { offline_access: Stay }')).toEqual([
      expect.stringMatching(/^resources\.a\.scopes: offline_access/),
    ])
  })

  it.each([
    ['scopes: [a]', 'resources.a.scopes: must be a map. Write each as `scope: its description`.'],
    ['scopes: {}', 'resources.a.scopes: lists no scope. Add one, or leave the setting out.'],
    [
      'scopes: { a: "" }',
      'resources.a.scopes.a: cannot be shown on one line. Write 1 to 200 characters without line breaks.',
    ],
    ['scopes: { a: }', 'resources.a.scopes.a: is missing. Write a value.'],
  ])('need a description: %s', (fields, problem) => {
    expect(problems(fields)).toEqual([problem])
  })
})
