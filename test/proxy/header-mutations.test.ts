/**
 * `header_mutations` and the server's own credential (features E2 and E3, cases sr2 and sb13).
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import { DEFAULT_PASS_THROUGH, type PassThroughRules } from '../../src/resources/pass-through.ts'
import { loadYaml, problemsOf } from '../config/harness.ts'
import { ANYONE, resource } from '../support/build-app.ts'
import { exchange } from '../support/raw-http.ts'
import { linesOf, startUpstream } from '../support/upstream-server.ts'
import { openGateway, TOKEN } from './gateway.ts'

const ALLOW = 'allow: { emails: ["*"] }\n'
const fileWith = (more: string) =>
  `resources:\n  notes:\n    url: https://mcp.example.com/notes/mcp\n    upstream: http://notes:3000/mcp\n${more.replace(/^(?=.)/gm, '    ')}${ALLOW}`

/** The rules as an operator writes them. */
function rulesOf(yaml: string): PassThroughRules {
  const { config } = loadYaml(fileWith(yaml))
  return config.resources[0]?.passThrough ?? DEFAULT_PASS_THROUGH
}
const mutations = (...entries: string[]) =>
  rulesOf(`header_mutations:\n${entries.map((entry) => `  - ${entry}\n`).join('')}`)

async function reached(rules: PassThroughRules, line = 'POST /notes/mcp', ...headers: string[]) {
  const upstream = await startUpstream((_request, response) => response.end('ok'))
  const notes = resource({
    allow: ANYONE,
    upstream: upstream.origin,
    passThrough: rules,
    openPaths: ['/notes/mcp/open'],
  })
  const { ask, port, logs } = await openGateway('', { resources: [notes] })
  await ask(line, { headers })
  const [request] = upstream.requests
  if (!request) throw new Error('nothing arrived')
  return { request, port, logs, upstream }
}

it('sr2: the list of risedphantom’s README works as it is written', async () => {
  const rules = rulesOf(`header_mutations:
  - action: set-x-forwarded
  - action: remove
    name: X-Unwanted-Header
  - action: add
    name: X-Forwarded-By
    value: mcp-oauth2-proxy
  - action: add
    name: X-Original-Host
    valueFrom:
      requestHeader: Host
  - action: add
    name: X-Query-Token
    valueFrom:
      queryParameter: token
  - action: add
    name: X-Auth-Header
    valueFrom:
      authorizationHeader: true
`)
  const { request } = await reached(
    rules,
    'POST /notes/mcp?a=1&token=t%20k',
    'X-Unwanted-Header: 1',
    'x_unwanted_header: 2',
    'X-Query-Token: forged',
    'X-Original-Host: forged',
  )
  expect(linesOf(request, 'x-unwanted-header')).toEqual([])
  expect(linesOf(request, 'x_unwanted_header')).toEqual([])
  expect(linesOf(request, 'x-forwarded-by')).toEqual(['mcp-oauth2-proxy'])
  expect(linesOf(request, 'x-original-host')).toEqual(['mcp.example.com'])
  expect(linesOf(request, 'x-query-token')).toEqual(['t k'])
  expect(linesOf(request, 'x-auth-header')).toEqual([TOKEN])
  expect(linesOf(request, 'authorization')).toEqual([])
  expect(linesOf(request, 'x-forwarded-for')).toEqual(['127.0.0.1'])
  expect(linesOf(request, 'x-forwarded-user')).toEqual(['ann@example.com'])
  expect(request.url).toBe('/?a=1&token=t%20k')
})

describe('E2: changes', () => {
  it('happen in their order', async () => {
    const rules = mutations(
      '{ action: add, name: X-A, value: one }',
      '{ action: remove, name: X-A }',
      '{ action: add, name: X-B, value: one }',
      '{ action: add, name: x-b, value: two }',
      '{ action: remove, name: X-Forwarded-Proto }',
      '{ action: add, name: X-Forwarded-Host, value: other }',
      '{ action: set-x-forwarded }',
    )
    const { request } = await reached(rules, 'POST /notes/mcp', 'X-A: mine', 'X_B: mine')
    expect(linesOf(request, 'x-a')).toEqual([])
    expect(linesOf(request, 'x-b')).toEqual(['two'])
    expect(linesOf(request, 'x_b')).toEqual([])
    expect(linesOf(request, 'x-forwarded-proto')).toEqual(['http'])
    expect(linesOf(request, 'x-forwarded-host')).toEqual(['mcp.example.com'])
  })

  it.each([
    ['absent', 'POST /notes/mcp', []],
    ['empty', 'POST /notes/mcp?token=', ['X-From: ']],
    ['a line break', 'POST /notes/mcp?token=a%0d%0aX-Evil:%201', []],
    ['beyond ASCII', 'POST /notes/mcp?token=%C5%81', ['X-From: é']],
    ['very long', `POST /notes/mcp?token=${'x'.repeat(9000)}`, [`X-From: ${'x'.repeat(9000)}`]],
  ])('without a usable value leave no header: %s', async (_name, line, headers) => {
    const rules = mutations(
      '{ action: add, name: X-Query, valueFrom: { queryParameter: token } }',
      '{ action: add, name: X-Copy, valueFrom: { requestHeader: X-From } }',
    )
    const { request } = await reached(rules, line, 'X-Query: mine', 'X-Copy: mine', ...headers)
    expect(linesOf(request, 'x-query')).toEqual([])
    expect(linesOf(request, 'x-copy')).toEqual([])
    expect(linesOf(request, 'x-evil')).toEqual([])
  })

  it('give no token of a stranger at an open path', async () => {
    const rules = mutations(
      '{ action: add, name: X-Token, valueFrom: { authorizationHeader: true } }',
    )
    const { port, upstream } = await reached(rules)
    await exchange(port, [
      'GET /notes/mcp/open HTTP/1.1',
      'Host: mcp.example.com',
      'Authorization: Bearer invented',
    ])
    expect(upstream.requests).toHaveLength(2)
    expect(upstream.requests[1]?.rawHeaders.join()).not.toContain('invented')
  })

  it('read a secret from a file, which nothing shows', () => {
    const yaml =
      'header_mutations:\n  - { action: add, name: X-Key, valueFrom: { file: /run/key } }\n'
    const files = { '/run/key': 'k3y\n' }
    const { config, warnings } = loadYaml(fileWith(yaml), { files })
    expect(config.resources[0]?.passThrough?.mutations).toEqual([
      { action: 'add', name: 'X-Key', from: { kind: 'value', value: 'k3y' } },
    ])
    expect(warnings.join()).not.toContain('k3y')
  })
})

describe('E2: the start refuses a change that', () => {
  it.each([
    ['removes an identity header', '{ action: remove, name: x_forwarded_user }', 'removes x_forw'],
    ['sets one', '{ action: add, name: X-User-Id, value: root }', 'sets X-User-Id, which'],
    [
      'sets one in another spelling',
      '{ action: add, name: X.Forwarded.Groups, value: a }',
      'sets X.Forwarded.Groups',
    ],
    [
      'lets a query write a header of another proxy',
      '{ action: add, name: Remote-User, valueFrom: { queryParameter: u } }',
      'lets clients write Remote-User',
    ],
    [
      'lets a header write one',
      '{ action: add, name: X-Real-IP, valueFrom: { requestHeader: X-A } }',
      'lets clients write X-Real-IP',
    ],
    [
      'copies what a client may claim',
      '{ action: add, name: X-A, valueFrom: { requestHeader: X_Forwarded_User } }',
      'copies X_Forwarded_User',
    ],
    [
      'copies the session',
      '{ action: add, name: X-A, valueFrom: { requestHeader: cookie } }',
      'copies Cookie',
    ],
    [
      'copies an API key',
      '{ action: add, name: X-A, valueFrom: { requestHeader: x-api-key } }',
      'holds API keys',
    ],
    ['frames the message', '{ action: add, name: Content-Length, value: "1" }', 'the connection'],
    [
      'frames it in another spelling',
      '{ action: add, name: Transfer_Encoding, value: chunked }',
      'the connection',
    ],
    [
      'lets clients choose the session that was judged',
      '{ action: add, name: Mcp_Session_Id, valueFrom: { queryParameter: s } }',
      'lets clients write Mcp_Session_Id',
    ],
    ['sets Host', '{ action: add, name: host, value: a }', 'Set upstream_host instead'],
    ['removes what frames it', '{ action: remove, name: transfer-encoding }', 'the connection'],
    [
      'fixes Authorization',
      '{ action: add, name: Authorization, value: Bearer s3cr3t }',
      'Write upstream_authorization',
    ],
    ['has no name', '{ action: remove }', 'header_mutations.name: is missing'],
    ['has no value', '{ action: add, name: X-A }', 'needs exactly one value'],
    [
      'has two values',
      '{ action: add, name: X-A, value: b, valueFrom: { requestHeader: C } }',
      'needs exactly one value',
    ],
    ['is none', '{ action: replace, name: X-A }', '"replace" is none'],
    ['has a line break', '{ action: add, name: X-A, value: "s3cr3t\\nX: y" }', 'printable ASCII'],
    ['names no header', '{ action: remove, name: "X A" }', 'is not the name of a header'],
    ['is misspelt', '{ action: remove, nmae: X-A }', 'Did you mean name'],
    [
      'is misspelt further below',
      '{ action: add, name: X-A, valueFrom: { requestheader: X-B } }',
      'Did you mean requestHeader',
    ],
  ])('%s', (_name, entry, problem) => {
    const problems = problemsOf(() => loadYaml(fileWith(`header_mutations:\n  - ${entry}\n`)))
    expect(problems.join('\n')).toContain(problem)
    expect(problems.join('\n')).not.toContain('s3cr3t')
  })

  it('hands tokens to the server only with a warning', () => {
    const yaml =
      'header_mutations:\n  - { action: add, name: X-T, valueFrom: { authorizationHeader: true } }\n'
    expect(loadYaml(fileWith(yaml)).warnings.join()).toContain('sends the tokens of clients')
  })
})

describe('E3, sb13: the credential that we have for the server', () => {
  const rules = rulesOf('upstream_authorization: Bearer of-the-server\n')

  it('is the only Authorization there', async () => {
    const { request } = await reached(rules)
    expect(linesOf(request, 'authorization')).toEqual(['Bearer of-the-server'])
  })

  it('goes along with a stranger at an open path, in place of any other', async () => {
    const { port, upstream } = await reached(rules)
    await exchange(port, [
      'GET /notes/mcp/open HTTP/1.1',
      'Host: mcp.example.com',
      'Authorization: Basic YTpi',
    ])
    const [, request] = upstream.requests
    expect(request && linesOf(request, 'authorization')).toEqual(['Bearer of-the-server'])
  })

  it('refused by the server is an outage for clients, and a warning in the log without the secret', async () => {
    const upstream = await startUpstream((_request, response) =>
      response.writeHead(401, { 'www-authenticate': 'Bearer realm="inner"' }).end(),
    )
    const notes = resource({ allow: ANYONE, upstream: upstream.origin, passThrough: rules })
    const { ask, logs } = await openGateway('', { resources: [notes] })
    const answer = await ask('POST /notes/mcp', { body: '{}' })
    expect(answer.status).toBe(502)
    expect(answer.values('www-authenticate')).toEqual([])
    expect(logs.at(-1)).toMatchObject({ resource: 'notes', level: 40 })
    expect(JSON.stringify(logs)).not.toContain('of-the-server')
  })
})
