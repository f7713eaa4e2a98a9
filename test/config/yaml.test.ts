import { describe, expect, it } from 'vitest'
import { jsonSchema } from '../../src/config/reference/reference.ts'
import { load, loadYaml, problemsOf } from './harness.ts'

describe('a malformed file', () => {
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]']
  for (const [name, of] of ['ba', 'cb', 'dc', 'ed', 'fe'].map((pair) => [...pair])) {
    bomb.push(`${name}: &${name} [${Array(9).fill(`*${of}`).join(', ')}]`)
  }

  it.each([
    [
      'port: 1\nport: 2\n',
      /^gatewarden\.yaml: the key at line 3, column 1 is a duplicate\. Remove/,
    ],
    ['port: [1\n', /^gatewarden\.yaml: is not YAML at line \d+, column \d+ \(\w+\)\. Check/],
    ['--- {}\n', /^gatewarden\.yaml: holds a second document at line 2/],
    ['host: !!js/function x\n', /^gatewarden\.yaml: uses tags/],
    ['host: *nowhere\n', /^gatewarden\.yaml: uses aliases \(\*name\) that are undefined/],
    [`${bomb.join('\n')}\n`, /^gatewarden\.yaml: uses aliases .* expand too far/],
    ['__proto__: { port: 1 }\n', /^gatewarden\.yaml: has a key __proto__/],
    [`host: ${'x'.repeat(1024 * 1024)}\n`, /^gatewarden\.yaml: is larger than 1 MiB/],
    [`host: ${'['.repeat(20_000)}\n`, /^gatewarden\.yaml: /],
  ])('is refused with the place of the problem', (yaml, problem) => {
    const problems = problemsOf(() => load({ yaml }))
    expect(problems[0]).toMatch(problem)
  })

  it('has to be a map', () => {
    const files = { '/srv/gatewarden.yaml': '- a\n- b\n' }
    expect(problemsOf(() => load({ files }))).toEqual([
      'gatewarden.yaml: is not a map of settings. Write lines like `public_url: https://auth.example.com`.',
    ])
  })

  it('may be empty', () => {
    const files = { '/srv/gatewarden.yaml': '# nothing yet\n' }
    expect(problemsOf(() => load({ files }))).toEqual([expect.stringMatching(/^users: /)])
  })

  it('is refused without showing its text', () => {
    const yaml = 'secret: "hunter2-hunter2\nport: 1\n'
    const problems = problemsOf(() => load({ yaml }))
    expect(problems).not.toEqual([])
    expect(problems.join()).not.toContain('hunter2')
  })
})

describe('a value of the wrong type', () => {
  it.each([
    ['public_url: 5', 'PUBLIC_URL: must be text. Write one value, in quotes.'],
    ['port: [1]', 'PORT: must be a number or text. Write one value.'],
    ['dev_mode: perhaps', 'DEV_MODE: must be true or false. Write one of the two.'],
    [
      'trusted_proxies: { a: b }',
      'TRUSTED_PROXIES: must be a list of texts. Write [a, b] in the file, or a,b elsewhere.',
    ],
    ['secret: 12345', 'SECRET: must be text. Write one value, in quotes.'],
    ['secret_file: [a]', 'secret_file: must be a path. Write one, in quotes.'],
    ['users: [ann]', 'users: must be a map. Write each as `name: { ... }`.'],
    ['users: { ann: secret }', 'users.ann: must be a map of settings. Indent them below it.'],
    [
      'resources: { notes: 5 }',
      'resources.notes: must be a map of settings. Indent them below it.',
    ],
  ])('%s', (yaml, problem) => {
    const files = { '/srv/gatewarden.yaml': `${yaml}\n` }
    const env = { PUBLIC_URL: undefined, RESOURCES: undefined }
    expect(problemsOf(() => load({ files, env }))).toContain(problem)
  })
})

describe('ed21: YAML that people write for other programs', () => {
  const BASE_ALLOW = 'x-allow: &allow { domains: [example.com] }\n'
  const resources = (text: string) => loadYaml(text).config.resources

  it('may merge a map, several of them, and a map that merges others; own keys win', () => {
    const yaml = [
      'x-base: &base { name: Base, required_scopes: [a], scopes: { a: A, b: B } }',
      'x-more: &more { <<: *base, name: More, also: [/more] }',
      BASE_ALLOW,
      'allow: *allow',
      'resources:',
      '  one: { <<: *base, url: https://a.example.com }',
      '  two: { url: https://b.example.com, name: Two, <<: [{ required_scopes: [b] }, *more] }',
    ].join('\n')
    const [one, two] = resources(yaml)
    expect(one).toMatchObject({
      name: 'Base',
      requiredScopes: ['a'],
      allow: { domains: ['example.com'] },
    })
    expect(two).toMatchObject({ name: 'Two', requiredScopes: ['b'], also: ['/more'] })
  })

  it('may merge users, clients and the top of the file itself', () => {
    const yaml = `x-all: &all { log_level: debug, port: 1 }\n<<: *all\nport: 2\nallow: { domains: [a.b] }\nresources: [https://a.b.c]\nclients:\n  - &c { client_id: a, redirect_uris: ["https://c.example/"] }\n  - { <<: *c, client_id: b }\n`
    const { config } = loadYaml(yaml)
    expect(config).toMatchObject({ logLevel: 'debug', listen: { port: 2 } })
    expect(config.clients.map(({ id }) => id)).toEqual(['a', 'b'])
  })

  it('has names of its own only at the top', () => {
    const yaml = `${BASE_ALLOW}allow: *allow\nresources: { notes: { url: https://a.b.c, x-note: 1 } }\n`
    expect(problemsOf(() => loadYaml(yaml))).toEqual([
      expect.stringMatching(/^resources\.notes\.x-note: is not a setting\./),
    ])
  })

  it('cannot merge what is no map', () => {
    for (const merged of ['5', '[1]', '[{ a: 1 }, x]', 'null']) {
      expect(problemsOf(() => loadYaml(`resources: { notes: { <<: ${merged} } }\n`))).toContain(
        'gatewarden.yaml: has a key << with something other than maps. Write <<: *name.',
      )
    }
  })

  it('still has a bound on its aliases', () => {
    const lines = ['x-a: &a { k: 1 }']
    for (const [name, of] of ['ba', 'cb', 'dc', 'ed', 'fe'].map((pair) => [...pair])) {
      lines.push(`x-${name}: &${name} { <<: [${Array(9).fill(`*${of}`).join(', ')}] }`)
    }
    expect(problemsOf(() => load({ yaml: `${lines.join('\n')}\n` }))).toContainEqual(
      expect.stringMatching(/^gatewarden\.yaml: uses aliases .* expand too far/),
    )
  })

  it('is the same to an editor', () => {
    const schema: unknown = JSON.parse(jsonSchema())
    expect(schema).toMatchObject({ additionalProperties: false, patternProperties: { '^x-': {} } })
  })
})
