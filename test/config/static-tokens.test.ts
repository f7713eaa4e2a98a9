import { describe, expect, it } from 'vitest'
import { sha256 } from '../../src/crypto.ts'
import { load, loadYaml, problemsOf } from './harness.ts'

const TOKEN = 'nU0o7QpY1xJ4rTz8vKcW3mBdLs6HfGae'
const OTHER = 'q5Rk2VwX9yD1cJ7bNf4TgZ6hMs8LpEa3'
const tokensOf = (env: Record<string, string>) => load({ env }).config.staticTokens
const problems = (env: Record<string, string>) => problemsOf(() => load({ env }))

const RESOURCES = `resources:
  notes: { url: https://mcp.example.com/notes, scopes: { read: Read, write: Write } }
  wiki: { url: https://mcp.example.com/wiki, scopes: { edit: Edit } }
allow: { emails: [ann@example.com] }
`
const inFile = (tokens: string, files: Record<string, string> = {}) =>
  loadYaml(`${RESOURCES}static_tokens: ${tokens}\n`, { files })

describe('STATIC_BEARER_TOKENS', () => {
  it('is a list of names and tokens, kept as hashes', () => {
    expect(tokensOf({ STATIC_BEARER_TOKENS: `ci:${TOKEN}, nightly.job-2:${OTHER}` })).toEqual([
      { name: 'ci', tokenHash: sha256(TOKEN) },
      { name: 'nightly.job-2', tokenHash: sha256(OTHER) },
    ])
  })

  it('names a bare token static, and that of mcpauth as its servers know it', () => {
    expect(tokensOf({ STATIC_BEARER_TOKENS: TOKEN })[0]?.name).toBe('static')
    expect(tokensOf({ AUTHORIZATION_BEARER_TOKEN: TOKEN })[0]?.name).toBe('static-authorized-user')
  })

  it('is read from a file, one token per line', () => {
    const files = { '/run/tokens': `ci:${TOKEN}\nnightly:${OTHER}\n` }
    const { config } = load({ env: { STATIC_BEARER_TOKENS_FILE: '/run/tokens' }, files })
    expect(config.staticTokens.map(({ name }) => name)).toEqual(['ci', 'nightly'])
  })

  it.each(['abcdefghijklmnopqrstuvwxyz-._~+/0123456789==', 'x'.repeat(32), 'x'.repeat(1024)])(
    'takes what RFC 6750 lets a header carry: %s',
    (token) => {
      expect(tokensOf({ STATIC_BEARER_TOKENS: token })[0]?.tokenHash).toBe(sha256(token))
    },
  )

  const LENGTH = 'holds a token of 31 characters; the minimum is 32.'
  const SHAPE = 'holds a token that an Authorization header cannot carry'
  it.each([
    [{ STATIC_BEARER_TOKENS: TOKEN.slice(1) }, LENGTH],
    [{ STATIC_BEARER_TOKENS: `ci:${TOKEN.slice(1)}` }, LENGTH],
    [{ AUTHORIZATION_BEARER_TOKEN: TOKEN.slice(1) }, LENGTH],
    [{ STATIC_BEARER_TOKENS: `${TOKEN}:ci` }, 'holds a token of 2 characters'],
    [{ STATIC_BEARER_TOKENS: `ci:${TOKEN} ${TOKEN}` }, SHAPE],
    [{ STATIC_BEARER_TOKENS: `ci:${TOKEN}"` }, SHAPE],
    [{ STATIC_BEARER_TOKENS: `ci:=${TOKEN}` }, SHAPE],
    [{ STATIC_BEARER_TOKENS: `a:b:${TOKEN}` }, SHAPE],
    [{ STATIC_BEARER_TOKENS: `ci:${'x'.repeat(1025)}` }, SHAPE],
    [{ STATIC_BEARER_TOKENS: `:${TOKEN}` }, 'has an invalid name.'],
    [{ STATIC_BEARER_TOKENS: `c i:${TOKEN}` }, 'has an invalid name.'],
    [{ STATIC_BEARER_TOKENS: `ann@x:${TOKEN}` }, 'has an invalid name.'],
    [{ STATIC_BEARER_TOKENS: `${'n'.repeat(65)}:${TOKEN}` }, 'has an invalid name.'],
    [
      { STATIC_BEARER_TOKENS: `${TOKEN},${OTHER}` },
      'two tokens have the name static. Give each token its own name, as name:token.',
    ],
    [
      { STATIC_BEARER_TOKENS: `ci:${TOKEN},CI:${TOKEN}` },
      'lists the same token twice. Remove the duplicate.',
    ],
    [{ AUTHORIZATION_BEARER_TOKEN: `${OTHER}:${TOKEN}` }, 'holds a colon, which'],
  ])('is refused without a word of a secret: %j', (env, problem) => {
    const found = problems(env)
    expect(found).toEqual([expect.stringContaining(`${Object.keys(env)[0]}: ${problem}`)])
    for (const secret of [TOKEN, OTHER]) expect(found.join()).not.toContain(secret.slice(1, 9))
  })

  it('is named in a single warning, without any token', () => {
    const { warnings, sources } = load({
      env: { STATIC_BEARER_TOKENS: `ci:${TOKEN}` },
      yaml: `static_tokens: { nightly: { token: ${OTHER} } }\n`,
    })
    expect(warnings).toEqual([
      'STATIC_BEARER_TOKENS: anyone who holds one of these tokens gets in until you remove that token here: ci, nightly.',
    ])
    expect(JSON.stringify([sources, warnings])).not.toMatch(new RegExp(`${TOKEN}|${OTHER}`))
    expect(sources).toContainEqual({
      setting: 'static_tokens.nightly.token',
      value: '(hidden)',
      from: 'gatewarden.yaml',
    })
  })
})

describe('static_tokens in the file', () => {
  it('can limit a token', () => {
    const files = { '/run/ci': `${OTHER}\n` }
    const { config } = inFile(
      `{ all: { token: ${TOKEN} }, ci: { token_file: /run/ci, scopes: [read], resources: [notes] } }`,
      files,
    )
    expect(config.staticTokens).toEqual([
      { name: 'all', tokenHash: sha256(TOKEN) },
      { name: 'ci', tokenHash: sha256(OTHER), scopes: ['read'], resources: ['notes'] },
    ])
  })

  it.each([
    ['[ci]', 'static_tokens: must be a map. Write each as `name: { token_file: ... }`.'],
    [`{ ci: ${TOKEN} }`, 'static_tokens.ci: must be a map of settings. Indent them below it.'],
    ['{ ci: {} }', 'static_tokens.ci.token: is missing. Make one with: openssl rand -hex 32.'],
    [
      `{ ci: { token: ${TOKEN}, token_file: /run/ci } }`,
      'static_tokens.ci.token: conflicts with token_file. Remove one of the two.',
    ],
    [
      '{ ci: { token_file: /run/missing } }',
      'static_tokens.ci.token_file: there is no such file. Check the path.',
    ],
    [
      '{ ci: { token_file: /run/short } }',
      'static_tokens.ci.token_file: holds a token of 5 characters; the minimum is 32. Make one with: openssl rand -hex 32.',
    ],
    [
      `{ "c i": { token: ${TOKEN} } }`,
      'static_tokens.c i: is not a name. Use 1 to 64 letters, digits, dots, dashes and underscores, and do not begin with u_, c_ or s_.',
    ],
    [
      `{ ci: { token: ${TOKEN}, scope: [read] } }`,
      'static_tokens.ci.scope: is not a setting. Did you mean scopes?',
    ],
    [
      `{ ci: { token: ${TOKEN}, scopes: [delete] } }`,
      'static_tokens.ci.scopes: no server that the token opens offers "delete". Remove it.',
    ],
    [
      `{ ci: { token: ${TOKEN}, scopes: [edit], resources: [notes] } }`,
      'static_tokens.ci.scopes: no server that the token opens offers "edit". Remove it.',
    ],
    [
      `{ ci: { token: ${TOKEN}, scopes: [] } }`,
      'static_tokens.ci.scopes: lists no scope. Add one, or leave the setting out.',
    ],
    [
      `{ ci: { token: ${TOKEN}, resources: [note] } }`,
      'static_tokens.ci.resources: no server has the id "note". Did you mean notes?',
    ],
    [
      `{ ci: { token: ${TOKEN}, resources: [shop] } }`,
      'static_tokens.ci.resources: no server has the id "shop". Write the id of a server: notes, wiki.',
    ],
    [
      `{ ci: { token: ${TOKEN}, resources: [] } }`,
      'static_tokens.ci.resources: lists no server. Add one, or leave the setting out.',
    ],
  ])('is refused as %s', (tokens, problem) => {
    expect(problemsOf(() => inFile(tokens, { '/run/short': 'short', '/run/ci': OTHER }))).toEqual([
      problem,
    ])
  })

  it('shares its names with the flat list', () => {
    const given = { env: { STATIC_BEARER_TOKENS: `ci:${TOKEN}` } }
    const yaml = `static_tokens: { ci: { token: ${OTHER} } }\n`
    expect(problemsOf(() => load({ ...given, yaml }))).toEqual([
      'static_tokens.ci: two tokens have the name ci. Give each token its own name, as name:token.',
    ])
  })
})

it.each([
  ['x'.repeat(32), 'repeats itself'],
  [`change-me-${TOKEN}`, 'looks like a placeholder'],
])('PROD_MODE refuses a token that can be guessed: %s', (token, why) => {
  expect(problems({ STATIC_BEARER_TOKENS: `ci:${token}`, PROD_MODE: 'true' })).toEqual([
    `STATIC_BEARER_TOKENS: a token ${why}, which PROD_MODE refuses. Make one with: openssl rand -base64 32.`,
  ])
  expect(problems({ STATIC_BEARER_TOKENS: `ci:${TOKEN}`, PROD_MODE: 'true' })).toEqual([])
})
