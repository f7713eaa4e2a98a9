import { expect, it } from 'vitest'
import { CREDENTIAL, openGateway } from '../proxy/gateway.ts'
import { exchange } from '../support/raw-http.ts'
import { startUpstream } from '../support/upstream-server.ts'

const HOSTS = [
  ['Host: mcp.example.com', 'Host: mcp.example.com'],
  ['Host: mcp.example.com', 'host: evil.test'],
  ['Host: evil.test', 'HOST: mcp.example.com'],
  ['Host: auth.example.com', 'Host: auth.example.com', 'Host: mcp.example.com'],
  ['Host: mcp.example.com', 'Host:'],
]
const LINES = [
  'POST /notes/mcp',
  'GET /notes/mcp',
  'OPTIONS /notes/mcp',
  'GET /nothing/here',
  'GET /authorize?client_id=x',
  'POST /token',
  'POST /register',
  'GET /jwks',
  'GET /login',
  'GET /.gatewarden/login',
  'GET /.well-known/oauth-authorization-server',
  'GET /healthz',
]

it.each(LINES)('at17, T53: two Host lines are 400 before anything else: %s', async (line) => {
  const upstream = await startUpstream((_request, response) => response.end('ok'))
  const { port } = await openGateway(upstream.origin)
  for (const hosts of HOSTS) {
    const answer = await exchange(port, [`${line} HTTP/1.1`, ...hosts, CREDENTIAL])
    expect(answer.status, hosts.join()).toBe(400)
    expect(JSON.parse(answer.body)).toEqual({
      error: 'invalid_request',
      error_description: 'the Host header is doubled',
    })
    expect(answer.values('set-cookie')).toEqual([])
    expect(answer.values('connection')).toEqual(['close'])
  }
  expect(upstream.requests).toEqual([])
})

it('at17: a HEAD with two Host lines gets the same head, and no body', async () => {
  const { port } = await openGateway('http://127.0.0.1:1')
  const answer = await exchange(port, ['HEAD /jwks HTTP/1.1', 'Host: a', 'Host: a'])
  expect([answer.status, answer.body]).toEqual([400, ''])
})
