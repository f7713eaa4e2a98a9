/** Requests with a whole URL as their target, as programs send them that take us for their forward proxy. */
import { describe, expect, it } from 'vitest'
import { CREDENTIAL, openGateway } from '../proxy/gateway.ts'
import { exchange } from '../support/raw-http.ts'
import { startUpstream } from '../support/upstream-server.ts'

const start = async () => {
  const upstream = await startUpstream((request, response) => response.end(request.url))
  const { port } = await openGateway(upstream.origin)
  return { port, upstream }
}

describe('a request in absolute form', () => {
  it.each([
    ['GET', 'auth.example.com', '/.well-known/oauth-authorization-server', 200],
    ['GET', 'mcp.example.com', '/.well-known/oauth-protected-resource/notes/mcp', 200],
    ['GET', 'auth.example.com', '/nothing?a=b', 404],
    ['POST', 'mcp.example.com', '/notes/mcp?a=b', 200],
    ['GET', 'mcp.example.com', '/elsewhere', 404],
  ])('gets the answer of the path: %s http://%s%s', async (method, host, path, status) => {
    const { port } = await start()
    const ask = (target: string) =>
      exchange(port, [`${method} ${target} HTTP/1.1`, `Host: ${host}`, CREDENTIAL])
    const [plain, absolute] = [await ask(path), await ask(`http://${host}${path}`)]
    expect([absolute.status, absolute.body]).toEqual([status, plain.body])
    expect((await ask(`HTTPS://${host.toUpperCase()}:443${path}`)).body).toBe(plain.body)
  })

  it('may lack the path', async () => {
    const { port } = await start()
    for (const target of ['http://auth.example.com', 'http://auth.example.com?x=1']) {
      const answer = await exchange(port, [`GET ${target} HTTP/1.1`, 'Host: auth.example.com'])
      expect(answer.status).toBe(404)
    }
  })

  it('is judged like any other', async () => {
    const { port, upstream } = await start()
    const target = 'http://mcp.example.com/notes/mcp'
    const answer = await exchange(port, [`GET ${target} HTTP/1.1`, 'Host: mcp.example.com'])
    expect(answer.status).toBe(401)
    expect(upstream.requests).toEqual([])
  })

  it.each([
    'http://mcp.example.com/notes/mcp',
    'http://auth.example.com:8443/authorize',
    'http://auth.example.com@mcp.example.com/notes/mcp',
    'http://auth.example.com,mcp.example.com/notes/mcp',
    'http:///notes/mcp',
    'http://auth.example.com\\@mcp.example.com/notes/mcp',
  ])('is 400 if it names another host than the Host header, or none: %s', async (target) => {
    const { port, upstream } = await start()
    for (const method of ['GET', 'POST', 'HEAD']) {
      const head = [`${method} ${target} HTTP/1.1`, 'Host: auth.example.com', CREDENTIAL]
      const answer = await exchange(port, head)
      expect(answer.status).toBe(400)
      expect(answer.values('set-cookie')).toEqual([])
    }
    expect(upstream.requests).toEqual([])
  })
})
