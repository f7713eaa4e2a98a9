import { expect, it } from 'vitest'
import type { GatewayEvent } from '../../src/events.ts'
import { createFloodGuard } from '../../src/telemetry/flood-guard.ts'
import { buildTestApp, createClock } from '../support/build-app.ts'
import { check } from '../support/oauth-client.ts'

const failed = (address: string): GatewayEvent => ({
  event: 'sign-in-failed',
  requestId: 'r-1',
  reason: 'wrong',
  address,
})
const fromMany = (n: number) => `198.51.${Math.floor(n / 250)}.${n % 250}`

it('keeps the first events of an address, whatever others do, and counts the rest', () => {
  const clock = createClock()
  const guard = createFloodGuard({ elapsed: clock.elapsed })
  const loud = Array.from({ length: 100 }, () => guard.admits(failed('192.0.2.1')))
  expect(loud.filter(Boolean)).toHaveLength(30)
  expect(guard.admits(failed('192.0.2.2'))).toBe(true)
  expect(guard.summaries()).toEqual([])
  clock.advance(60)
  expect(guard.summaries()).toEqual([
    { event: 'lines-left-out', of: 'sign-in-failed', count: 70, from: 1, busiest: '192.0.2.1' },
  ])
  expect(guard.summaries()).toEqual([])
  expect(guard.admits(failed('192.0.2.1'))).toBe(true)
})

it('bounds what very many addresses cause, in lines and in memory', () => {
  const clock = createClock()
  const guard = createFloodGuard({ elapsed: clock.elapsed })
  const admitted = Array.from({ length: 20_000 }, (_, n) => guard.admits(failed(fromMany(n))))
  expect(admitted.filter(Boolean)).toHaveLength(300)
  const [summary] = guard.allSummaries()
  expect(summary).toMatchObject({ count: 19_700, from: 1000 })
  expect(guard.allSummaries()).toEqual([])
})

it('leaves out no event that only people and operators can cause', () => {
  const guard = createFloodGuard({ elapsed: () => 0 })
  const event: GatewayEvent = { event: 'grant-revoked', grant: 'g', by: 'operator', reason: 'old' }
  expect(Array.from({ length: 1000 }, () => guard.admits(event)).every(Boolean)).toBe(true)
})

it('warns of one server however often another is asked for', () => {
  const guard = createFloodGuard({ elapsed: () => 0 })
  const missing = (host: string): GatewayEvent => ({
    event: 'login-route-missing',
    host,
    path: '/x',
  })
  expect([missing('a.test'), missing('a.test'), missing('b.test')].map(guard.admits)).toEqual([
    true,
    false,
    true,
  ])
})

it('the log of a flood of bad tokens is bounded, and one line sums it up', async () => {
  const { app, logs, events, clock } = await buildTestApp()
  const authorization = 'Bearer nonsense'
  for (let n = 0; n < 50; n += 1) await check(app, { authorization })
  const lines = (event: string) => logs.filter((line) => line.event === event)
  expect(events.filter(({ event }) => event === 'token-refused')).toHaveLength(50)
  expect(lines('token-refused')).toHaveLength(30)
  clock.advance(61)
  await check(app, { authorization })
  expect(lines('lines-left-out')).toMatchObject([
    { of: 'token-refused', count: 20, from: 1, busiest: '127.0.0.1', level: 30 },
  ])
  expect(lines('token-refused')).toHaveLength(31)
})
