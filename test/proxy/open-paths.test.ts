/**
 * Open paths (setting `public`) in pass-through.
 *
 * @module
 */
import { expect, it } from 'vitest'
import { ANYONE, resource } from '../support/build-app.ts'
import { exchange } from '../support/raw-http.ts'
import { linesOf, startUpstream } from '../support/upstream-server.ts'
import { openGateway } from './gateway.ts'

async function openNotes(answer: Parameters<typeof startUpstream>[0]) {
  const upstream = await startUpstream(answer)
  const gateway = await openGateway('', {
    resources: [
      resource({
        allow: ANYONE,
        openPaths: ['/notes/mcp/health', '/notes/mcp/assets/*'],
        upstream: `${upstream.origin}/mcp`,
      }),
    ],
  })
  const ask = (line: string, ...headers: string[]) =>
    exchange(gateway.port, [`${line} HTTP/1.1`, 'Host: mcp.example.com', ...headers])
  return { ...gateway, upstream, asStranger: ask }
}

it('reach the server without a token, and without a word about who calls', async () => {
  const { asStranger, upstream } = await openNotes((_request, response) => response.end('fine'))
  const forged = ['X-Forwarded-User: root', 'X_User_Id: u_root', 'X-User-Admin: true']
  expect((await asStranger('GET /notes/mcp/health?v=1', ...forged)).body).toBe('fine')
  expect((await asStranger('GET /notes/mcp/other')).status).toBe(401)
  const [request] = upstream.requests
  if (!request) throw new Error('nothing arrived')
  expect(upstream.requests).toHaveLength(1)
  expect(request.url).toBe('/mcp/health?v=1')
  expect(request.rawHeaders.join('\n')).not.toMatch(/root|x-forwarded-user|x-user-/i)
  expect(linesOf(request, 'x-forwarded-host')).toEqual(['mcp.example.com'])
})

it('do not lead to a path that needs a token', async () => {
  const { asStranger, ask, upstream } = await openNotes((request, response) => {
    if (request.url === '/mcp/health') response.writeHead(307, { location: '/mcp/secret' }).end()
    else if (request.url === '/mcp/assets/a') {
      response.writeHead(307, { location: '/mcp/assets/b' }).end()
    } else response.end(`this is ${request.url}`)
  })
  const stranger = await asStranger('GET /notes/mcp/health')
  expect(stranger.status).toBe(307)
  expect(stranger.values('location')).toEqual(['/notes/mcp/secret'])
  expect((await ask('GET /notes/mcp/health')).status).toBe(307)
  expect((await asStranger('GET /notes/mcp/assets/a')).body).toBe('this is /mcp/assets/b')
  expect(upstream.requests.map(({ url }) => url)).not.toContain('/mcp/secret')
})
