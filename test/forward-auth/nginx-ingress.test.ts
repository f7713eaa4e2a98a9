import { describe, expect, it } from 'vitest'
import { PRM } from '../check/asked.ts'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { obtainTokens } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'

const first = await buildTestApp({
  resources: [
    resource({ allow: ANYONE }),
    resource({ id: 'b', url: 'https://b.example.com/mcp', allow: ANYONE }),
  ],
})
const { tokens } = await obtainTokens(first.app)
const credential = `authorization: Bearer ${tokens.access_token}`

/** Headers that a hostile client adds: the controller overwrites some and passes on the rest. */
const SPOOFED = [
  'X-Forwarded-Host: b.example.com',
  'X-Forwarded-Uri: /mcp',
  'X-Forwarded-Method: OPTIONS',
  'X-Forwarded-Prefix: /mcp',
  'X-Forwarded-Server: b.example.com',
  'X-Original-URI: /mcp',
  'X-Scheme: https',
  'Forwarded: host=b.example.com',
]

/** The question of ingress-nginx 1.15.1 to the byte, for `POST https://mcp.example.com/notes/mcp?x=1`. */
function asIngressNginxAsks(lines: readonly string[], url = '/auth/nginx/r/notes'): string[] {
  return [
    `GET ${url} HTTP/1.1`,
    'X-Request-ID: 8b5ad2b1a1cb1c1ba2a8d8b0e5c1a3f7',
    'Host: gatewarden.mcp.svc.cluster.local',
    'X-Original-URL: https://mcp.example.com/notes/mcp?x=1',
    'X-Original-Method: POST',
    'X-Sent-From: nginx-ingress-controller',
    'X-Real-IP: 203.0.113.7',
    'X-Forwarded-For: 203.0.113.7',
    'X-Auth-Request-Redirect: /notes/mcp?x=1',
    'user-agent: node',
    'accept: application/json, text/event-stream',
    'accept-encoding: gzip, deflate',
    'content-type: application/json',
    'mcp-protocol-version: 2025-11-25',
    ...lines,
  ]
}

async function ask(lines: readonly string[], url?: string) {
  const { app } = await first.restart()
  return exchange(await listen(app), asIngressNginxAsks(lines, url))
}

describe('the question of ingress-nginx', () => {
  it.each([
    ['as it is', []],
    ['with all that a client can add', SPOOFED],
  ])('%s is about the request that was made', async (_what, added) => {
    const allowed = await ask([credential, ...added])
    expect(allowed.status).toBe(200)
    expect(allowed.values('x-forwarded-user')).toEqual(['ann@example.com'])
    const refused = await ask(added)
    expect(refused.status).toBe(401)
    expect(refused.values('www-authenticate')).toEqual([
      `Bearer resource_metadata="${PRM}/notes/mcp", scope="mcp"`,
    ])
    expect((await ask([credential, ...added], '/auth/nginx')).status).toBe(200)
    expect((await ask([credential, ...added], '/auth/nginx/r/b')).status).toBe(403)
  })

  it('is for /auth/nginx: the words of Traefik are not in it', async () => {
    expect((await ask([credential], '/auth/traefik/r/notes')).status).toBe(403)
  })

  it('of a browser stays a 401, which auth-signin makes a redirect of', async () => {
    const { app } = await first.restart()
    const lines = asIngressNginxAsks(['sec-fetch-mode: navigate']).map((line) =>
      line.replace(/^accept: .*/, 'accept: text/html').replace('Method: POST', 'Method: GET'),
    )
    const answer = await exchange(await listen(app), lines)
    expect(answer.status).toBe(401)
    expect(answer.values('location')).toHaveLength(1)
  })
})

describe('the question of Traefik’s kubernetesIngressNGINX', () => {
  const head = (url: string) => [
    `GET ${url} HTTP/1.1`,
    'Host: gatewarden.mcp.svc.cluster.local:11000',
    credential,
    'X-Forwarded-Method: POST',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: mcp.example.com',
    'X-Forwarded-Uri: /notes/mcp?x=1',
    'X-Forwarded-For: 203.0.113.7',
    'X-Original-URL: https://b.example.com/mcp',
    'X-Original-Method: GET',
  ]

  it('is for /auth/traefik, where a client’s X-Original-URL says nothing', async () => {
    const { app } = await first.restart()
    const port = await listen(app)
    expect((await exchange(port, head('/auth/traefik/r/notes'))).status).toBe(200)
    // The client wrote the only header that is read here: the id in the address makes the check refuse it.
    expect((await exchange(port, head('/auth/nginx/r/notes'))).status).toBe(403)
  })
})
