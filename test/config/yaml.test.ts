import { describe, expect, it } from 'vitest'
import { load, problemsOf } from './harness.ts'

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
