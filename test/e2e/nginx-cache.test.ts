/**
 * The cache of decisions in the comments of the shipped nginx files: its benefit, and its danger.
 *
 * @module
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { signInByHand } from './support/hand-client.ts'
import { exchange } from './support/http-exchange.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'
import { isSkipped } from './support/tools.ts'
import { startWorld, type World } from './support/world.ts'

/** The lifetime in the shipped line, in whole seconds as nginx counts. */
const KEPT_MS = 2_000

describe.skipIf(isSkipped('nginx'))('a cache of decisions in nginx', () => {
  let app: RecordingServer
  let world: World
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nginx-cache-'))
    app = await startRecordingServer(({ headers }, response) =>
      response.end(`${headers['x-forwarded-user']} ${headers.cookie ?? ''}`),
    )
    world = await startWorld({
      front: 'nginx',
      upstream: app.address,
      resource: { allow: { emails: ['*'] } },
      changeNginx: (text) =>
        text.replaceAll('#cache# ', '').replace('/run/nginx/gatewarden', join(folder, 'cache')),
    })
  })
  afterAll(async () => {
    await world?.stop()
    await app?.close()
    await rm(folder, { recursive: true, force: true })
  })

  const signIn = (person: World['ann']) =>
    signInByHand({ issuer: world.publicUrl, resource: world.mcpUrl, person })
  const call = (token: string | undefined, headers: Record<string, string> = {}, path = '/mcp') =>
    exchange(new URL(world.mcpUrl), {
      path,
      headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    })
  const decisions = () => world.log().match(/"msg":"decision"/g)?.length ?? 0

  it('asks once in a while instead of each time, and keeps people apart', async () => {
    const ann = (await signIn(world.ann)).tokens.access_token
    const bob = (await signIn(world.bob)).tokens.access_token
    const before = decisions()
    for (let i = 0; i < 20; i++) {
      for (const path of ['/mcp', '/mcp/x', '/mcp?a']) {
        expect((await call(ann, {}, path)).body).toBe('ann@example.com ')
        expect((await call(bob, {}, path)).body).toBe('bob@example.com ')
        expect((await call(undefined, {}, path)).status).toBe(401)
      }
    }
    // nginx asks again for each of the 60 refusals.
    expect(decisions() - before - 60).toBeLessThan(30)
  })

  it('has everything in its key that an answer depends on', async () => {
    const ann = (await signIn(world.ann)).tokens.access_token
    expect((await call(ann)).status).toBe(200)
    expect((await call(ann, { origin: 'https://evil.test' })).status).toBe(403)
    expect((await call(ann, { cookie: 'a=1' })).body).toBe('ann@example.com a=1')
    expect((await call(ann, { cookie: 'a=2' })).body).toBe('ann@example.com a=2')
    expect((await call(`${ann}x`)).status).toBe(401)
    expect((await call(undefined, { cookie: `Bearer ${ann}` })).status).toBe(401)
    expect((await call(ann, {}, '/mcp/..%2f')).status).toBe(400)
    expect((await call(ann, { 'x-forwarded-user': 'mallory' })).body).toBe('ann@example.com ')
  })

  it('lets a revoked token live on for as long as it keeps an answer, and no longer', async () => {
    const { client, callback, tokens } = await signIn(world.ann)
    expect((await call(tokens.access_token)).status).toBe(200)
    // The second redemption of a code ends its grant (decision K14).
    expect((await client.redeem(callback)).status).toBe(400)
    const revokedAt = Date.now()
    expect((await call(tokens.access_token)).status).toBe(200)
    // The cache has no answer for a new address.
    expect((await call(tokens.access_token, {}, '/mcp/new')).status).toBe(401)
    await vi.waitUntil(async () => (await call(tokens.access_token)).status === 401, {
      timeout: 10_000,
      interval: 50,
    })
    expect(Date.now() - revokedAt).toBeLessThan(KEPT_MS + 1_500)
  })

  it('has people’s tokens in its files, which is why nobody else may read them', async () => {
    const ann = (await signIn(world.ann)).tokens.access_token
    await call(ann)
    const kept = join(folder, 'cache')
    const texts = await Promise.all(
      (await readdir(kept)).map((name) => readFile(join(kept, name), 'latin1')),
    )
    expect(texts.some((text) => text.includes(ann))).toBe(true)
  })
})
