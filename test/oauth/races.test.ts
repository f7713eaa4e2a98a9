/**
 * Fifty at once, across two replicas, on every kind of store: whatever counts once counts once. The device grant's race is
 * in `device.test.ts`; `test/e2e/replicas.test.ts` runs these on real Redis.
 */
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { describe, expect, it } from 'vitest'
import { makeApiKey } from '../../src/credentials/api-keys/key-form.ts'
import { randomToken, sha256 } from '../../src/crypto.ts'
import { createRecords } from '../../src/records/records.ts'
import { createBrowser } from '../support/browser.ts'
import type { TestApp } from '../support/build-app.ts'
import {
  ASSERTION_TYPE,
  makeSigningKey,
  ON_LOOPBACK,
  startDocumentHost,
} from '../support/document-host.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  introspect,
  obtainTokens,
  redeem,
  refresh,
  register,
  signIn,
} from '../support/oauth-client.ts'
import { STORES, startReplicas } from '../support/replicas.ts'
import { testKeyring } from '../support/signing.ts'
import { storedKeys } from '../support/stored.ts'

const CALLERS = 50

/** Every second one asks the other replica. */
const byFifty = (
  [one, other]: readonly [TestApp, TestApp],
  ask: (app: FastifyInstance, n: number) => Promise<LightMyRequestResponse>,
) => Promise.all(Array.from({ length: CALLERS }, (_, n) => ask(n % 2 ? one.app : other.app, n)))

const statusOf = async ({ app }: TestApp, accessToken: string) =>
  (await check(app, { authorization: `Bearer ${accessToken}` })).statusCode

/** The error of each answer but a success, of which there is at most one. */
function parted(answers: readonly LightMyRequestResponse[]) {
  const won = answers.filter(({ statusCode }) => statusCode === 200)
  const lost = answers.filter(({ statusCode }) => statusCode !== 200)
  return {
    won,
    errors: new Set(lost.map((answer) => `${answer.statusCode} ${answer.json().error}`)),
  }
}

describe.each(STORES)('fifty at once, on two replicas with a store of kind %s', (store) => {
  it('K14: redeem a code: one wins, the rest get invalid_grant, and its tokens are dead', async () => {
    const replicas = await startReplicas(store)
    const [one, other] = replicas
    const client = await register(one.app)
    const code = codeOf(await signIn(createBrowser(one.app), authorizeUrl(client)))
    const answers = await byFifty(replicas, (app) => redeem(app, client, code))
    const { won, errors } = parted(answers)
    expect([won.length, [...errors]]).toEqual([1, ['400 invalid_grant']])
    const { access_token, refresh_token } = won[0]?.json() ?? {}
    for (const replica of replicas) expect(await statusOf(replica, access_token)).toBe(401)
    expect((await refresh(other.app, client, refresh_token)).json().error).toBe('invalid_grant')
    expect(await storedKeys(one.storage, 'grant:')).toEqual([])
  })

  it('K15: refresh with a token: all get the same new one, which works; the old one ends it later', async () => {
    const replicas = await startReplicas(store)
    const [one, other] = replicas
    const { client, tokens } = await obtainTokens(one.app)
    const answers = await byFifty(replicas, (app) => refresh(app, client, tokens.refresh_token))
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array(CALLERS).fill(200))
    const successors = new Set(answers.map((answer) => answer.json().refresh_token))
    expect(successors.size).toBe(1)
    const second = await refresh(other.app, client, [...successors][0])
    expect(await statusOf(one, second.json().access_token)).toBe(200)
    await refresh(one.app, client, second.json().refresh_token)
    const replayed = await byFifty(replicas, (app) => refresh(app, client, tokens.refresh_token))
    expect([...parted(replayed).errors]).toEqual(['400 invalid_grant'])
    for (const replica of replicas) {
      expect(await statusOf(replica, second.json().access_token)).toBe(401)
    }
  })

  it('T18: show a client assertion: it counts for one of them', async () => {
    const replicas = await startReplicas(store, ON_LOOPBACK)
    const key = await makeSigningKey()
    const host = await startDocumentHost()
    const client = host.publish({
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [key.publicJwk] },
    })
    const now = Math.floor(replicas[0].clock() / 1000)
    const proof = {
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await key.assertion(client.client_id, now),
    }
    const answers = await byFifty(replicas, (app) => introspect(app, client, 'any-token', proof))
    const { won, errors } = parted(answers)
    expect([won.length, [...errors]]).toEqual([1, ['401 invalid_client']])
  })

  it('T55: use an API key while it is revoked: none gets in once that is done', async () => {
    const replicas = await startReplicas(store)
    const [one, other] = replicas
    const { apiKeys } = createRecords(one.storage, { keyring: testKeyring() })
    const { id, key } = makeApiKey(testKeyring(), randomToken)
    const createdAt = Math.floor(one.clock() / 1000)
    await apiKeys.create({ id, name: 'nightly', hash: sha256(key), scopes: ['mcp'], createdAt })
    for (const replica of replicas) expect(await statusOf(replica, key)).toBe(200)
    const ask = (app: FastifyInstance) => check(app, { authorization: `Bearer ${key}` })
    const during = await byFifty(replicas, async (app, n) => {
      if (n === CALLERS / 2) await apiKeys.revoke(id)
      return ask(app)
    })
    for (const { statusCode } of during) expect([200, 401]).toContain(statusCode)
    const after = await byFifty(replicas, ask)
    expect(new Set(after.map(({ statusCode }) => statusCode))).toEqual(new Set([401]))
    expect((await check(other.app, { 'x-api-key': key })).statusCode).toBe(401)
  })
})
