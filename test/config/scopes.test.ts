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
  it('are one, mcp, when nothing is said', () => {
    expect(flat({})).toEqual([{ mcp: 'Use this server' }, [], ['mcp']])
  })

  it('get a sentence made from their name where nobody described them', () => {
    expect(flat({ ALLOWED_SCOPES: 'notes:read,notes:write' })).toEqual([
      { 'notes:read': 'Use "notes:read"', 'notes:write': 'Use "notes:write"' },
      [],
      ['notes:read', 'notes:write'],
    ])
  })

  it('are by default the default ones, else the required ones, else all', () => {
    const scopes = 'scopes: { r: Read, w: Write, x: Run }'
    expect(mapped(scopes)[2]).toEqual(['r', 'w', 'x'])
    expect(mapped(`${scopes}, required_scopes: [r]`)[2]).toEqual(['r'])
    expect(mapped(`${scopes}, required_scopes: [r], default_scopes: [w]`)[2]).toEqual(['w'])
  })

  it('are offered when they are demanded and nothing else says what is on offer', () => {
    expect(flat({ REQUIRED_SCOPES: 'r' })).toEqual([{ r: 'Use "r"' }, ['r'], ['r']])
  })

  it('of a resource stand instead of the global ones, required ones with an empty list too', () => {
    const env = { ALLOWED_SCOPES: 'g', REQUIRED_SCOPES: 'g' }
    expect(mapped('name: A', env)).toEqual([{ g: 'Use "g"' }, ['g'], ['g']])
    expect(mapped('required_scopes: []', env)[1]).toEqual([])
  })

  it('are refused where they are demanded but not on offer', () => {
    expect(problemsOf(() => load({ env: { ALLOWED_SCOPES: 'a', REQUIRED_SCOPES: 'b' } }))).toEqual([
      'REQUIRED_SCOPES: "b" is not on offer. Add it to ALLOWED_SCOPES.',
    ])
    expect(problems('scopes: { a: A }, required_scopes: [b], default_scopes: [c]')).toEqual([
      'resources.a.required_scopes: "b" is not on offer. Add it to resources.a.scopes.',
      'resources.a.default_scopes: "c" is not on offer. Add it to resources.a.scopes.',
    ])
    expect(problems('scopes: { a: A }', { REQUIRED_SCOPES: 'g' })).toEqual([
      'resources.a.scopes: "g" is missing, which REQUIRED_SCOPES demands. Add it, or set required_scopes for this resource.',
    ])
  })

  it.each(['a"b', 'a\\\\b', 'a b', 'ä'])(
    'are tokens of RFC 6749 section 3.3: %s is none',
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
      expect.stringMatching(/^ALLOWED_SCOPES: offline_access is no scope of a server/),
    ])
    expect(problems('scopes: { offline_access: Stay }')).toEqual([
      expect.stringMatching(/^resources\.a\.scopes: offline_access/),
    ])
  })

  it.each([
    [
      'scopes: [a]',
      'resources.a.scopes: must be a map. Write each as `scope: what it means in words`.',
    ],
    ['scopes: {}', 'resources.a.scopes: names no scope. Name one, or leave the setting out.'],
    [
      'scopes: { a: "" }',
      'resources.a.scopes.a: cannot be shown on one line. Write 1 to 200 characters without line breaks.',
    ],
    ['scopes: { a: }', 'resources.a.scopes.a: is missing. Write a value.'],
  ])('are described in words: %s', (fields, problem) => {
    expect(problems(fields)).toEqual([problem])
  })
})
