/**
 * A steady load of clients, and a verdict on each answer they get: an outage may make it 503 with `Retry-After`, and
 * nothing else.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { readTokens, type Tokens } from './hand-client.ts'
import { type Answer, createReplicaClient, type ReplicaClientOptions } from './replica-client.ts'

/**
 * - `known`: a check of a token that was checked before;
 * - `fresh`: the first check of a token;
 * - `dead`: a check of a revoked token, or of one that nobody signed;
 * - `refresh`, `code`: at the token endpoint;
 * - `login`: a person's way to a code.
 */
export type Task = 'known' | 'fresh' | 'dead' | 'refresh' | 'code' | 'login'
const TASKS: readonly Task[] = ['known', 'fresh', 'dead', 'refresh', 'code', 'login']

/** What became of one task. Times are milliseconds of `performance.now()`. */
export interface Outcome {
  readonly task: Task
  readonly verdict: 'right' | 'unavailable'
  readonly sentAt: number
  readonly answeredAt: number
}

export interface ClientLoad {
  readonly outcomes: readonly Outcome[]
  /** A line for each answer that no outage excuses. */
  readonly wrong: readonly string[]
  /** How many codes were refused because an attempt before, answered with 503, had spent them and was not undone yet. */
  readonly early: number
  /** How many codes were lost of those that were issued at a time of {@link ClientLoad.expectLoss}. */
  readonly lost: number
  /** Stocks codes to redeem, and ends a grant whose token every process knows. */
  prepare(): Promise<void>
  /** Until told otherwise, what is issued may be lost: by a failover of a Redis that does not wait for its replicas. */
  expectLoss(isExpected: boolean): void
  /** What was issued before may be refused from now on: the store loses it. */
  forget(): void
  /** Signs people in anew. What was forgotten has to be refused from now on. */
  begin(): Promise<void>
  /** When the last task was done that was not, `since`; undefined while one is not. */
  recoveredAt(since: number): number | undefined
  /** Resolves once every task under way has ended. */
  stop(): Promise<void>
}

const KNOWN_TOKENS = 4
const PAUSE_MS = { check: 15, refresh: 120, code: 250, login: 400 }
/** A revocation binds everywhere within this (decision K27). */
const REVOKED_WITHIN_MS = 1000

/** Something issued, and whether it is still to be honoured. */
interface Issued {
  readonly value: string
  readonly era: number
}

interface Code extends Issued {
  readonly wasTried: boolean
  readonly isAtRisk: boolean
}

export async function startClientLoad(options: ReplicaClientOptions): Promise<ClientLoad> {
  const client = await createReplicaClient(options)
  const outcomes: Outcome[] = []
  const wrong: string[] = []
  const stopping = new AbortController()
  let era = 0
  let early = 0
  let lost = 0
  let isLossy = false
  let known: readonly Issued[] = []
  let dead: readonly { value: string; since: number }[] = []
  let codes: Code[] = []
  let link: Issued | undefined

  const isForgotten = (issued: Issued) => issued.era !== era

  /** Notes what an answer means; `judge` is asked about those that are no outage. */
  async function run(
    task: Task,
    send: () => Promise<Answer>,
    judge: (answer: Answer) => boolean,
  ): Promise<Answer | undefined> {
    const sentAt = performance.now()
    const answer = await send()
    const times = { task, sentAt, answeredAt: performance.now() }
    if (answer.status === 503 && Number(answer.headers['retry-after']) > 0) {
      outcomes.push({ ...times, verdict: 'unavailable' })
      return undefined
    }
    if (judge(answer)) outcomes.push({ ...times, verdict: 'right' })
    else wrong.push(`${task}: ${describe(answer)}`)
    return answer
  }

  const check = (task: Task, issued: Issued) =>
    run(
      task,
      () => client.check(issued.value),
      (answer) => isAllowed(answer) || (isForgotten(issued) && isRefused(answer)),
    )

  async function checkKnown() {
    for (const token of known) {
      await check('known', token)
      await rest(PAUSE_MS.check)
    }
  }
  async function checkDead() {
    for (const { value, since } of dead) {
      const isDue = performance.now() - since > REVOKED_WITHIN_MS
      await run(
        'dead',
        () => client.check(value),
        (answer) => isRefused(answer) || (!isDue && isAllowed(answer)),
      )
      await rest(PAUSE_MS.check)
    }
  }
  async function refresh() {
    const used = link
    if (!used) return
    const answer = await run(
      'refresh',
      () => client.refresh(used.value),
      (found) => found.status === 200 || isForgotten(used),
    )
    if (!answer || link !== used) return
    if (answer.status !== 200) {
      link = undefined
      return
    }
    const tokens = readTokens(answer)
    link = { ...used, value: tokens.refresh_token }
    await check('fresh', { ...used, value: tokens.access_token })
  }
  async function redeem() {
    const code = codes.shift()
    if (!code) return
    const answer = await run(
      'code',
      () => client.redeem(code.value),
      (found) => {
        if (found.status === 200 || isForgotten(code)) return true
        if (!/"invalid_grant"/.test(found.body)) return false
        if (code.wasTried) early += 1
        else if (code.isAtRisk) lost += 1
        return code.wasTried || code.isAtRisk
      },
    )
    if (!answer && !isForgotten(code)) codes.push({ ...code, wasTried: true })
  }
  async function login() {
    const then = era
    const sentAt = performance.now()
    const done = (verdict: Outcome['verdict']) =>
      outcomes.push({ task: 'login', verdict, sentAt, answeredAt: performance.now() })
    try {
      const wasLossy = isLossy
      const value = await client.obtainCode()
      codes.push({ value, era: then, wasTried: false, isAtRisk: wasLossy || isLossy })
      done('right')
    } catch (error) {
      const reason = String(error)
      if (/\(503\)|error=temporarily_unavailable/.test(reason)) done('unavailable')
      else if (then === era) wrong.push(`login: ${reason}`)
    }
  }

  const tokensOf = async (code: string): Promise<Tokens> => readTokens(await client.redeem(code))
  const rest = (milliseconds: number) =>
    delay(milliseconds, undefined, { signal: stopping.signal }).catch(() => {})
  async function repeat(task: () => Promise<void>, pause: number) {
    while (!stopping.signal.aborted) {
      await task().catch((error: unknown) => wrong.push(`no answer: ${String(error)}`))
      await rest(pause)
    }
  }
  async function begin() {
    const made: Issued[] = []
    for (let index = 0; index < KNOWN_TOKENS; index += 1) {
      const { access_token: value, refresh_token } = await tokensOf(await client.obtainCode())
      made.push({ value, era })
      link = { value: refresh_token, era }
      for (const _ of options.processes) await client.check(value)
    }
    const since = performance.now()
    const lost = known.filter(isForgotten).map(({ value }) => ({ value, since }))
    const forged = made.slice(0, 1).flatMap(({ value }) => forgeries(value))
    dead = [...dead, ...lost, ...forged.map((value) => ({ value, since: 0 }))]
    known = made
  }

  await begin()
  const loops = [
    repeat(checkKnown, PAUSE_MS.check),
    repeat(checkDead, PAUSE_MS.check),
    repeat(refresh, PAUSE_MS.refresh),
    repeat(redeem, PAUSE_MS.code),
    repeat(login, PAUSE_MS.login),
  ]
  return {
    outcomes,
    wrong,
    get early() {
      return early
    },
    get lost() {
      return lost
    },
    expectLoss(isExpected) {
      isLossy = isExpected
    },
    async prepare() {
      const code = await client.obtainCode()
      const { access_token: value } = await tokensOf(code)
      for (const _ of options.processes) await client.check(value)
      await client.redeem(code)
      dead = [...dead, { value, since: performance.now() }]
      for (let index = 0; index < 3; index += 1) {
        codes.push({ value: await client.obtainCode(), era, wasTried: false, isAtRisk: false })
      }
    },
    forget() {
      era += 1
      codes = []
    },
    begin,
    recoveredAt(since) {
      const times = TASKS.map((task) => {
        const own = outcomes.filter((each) => each.task === task && each.sentAt >= since)
        const last = own.findLastIndex(({ verdict }) => verdict === 'unavailable')
        return own[last + 1]?.answeredAt
      })
      if (times.includes(undefined)) return undefined
      return Math.max(...times.map((time) => time ?? 0))
    },
    async stop() {
      stopping.abort()
      await Promise.all(loops)
      client.close()
    },
  }
}

function isAllowed({ status, headers }: Answer): boolean {
  return status === 200 && (headers['x-user-id'] ?? '') !== ''
}

function isRefused({ status, headers }: Answer): boolean {
  return status === 401 && /error="invalid_token"/.test(headers['www-authenticate'] ?? '')
}

/** Of the form of ours, and signed by nobody: under a key of ours, and under one that might be another process's. */
function forgeries(token: string): readonly string[] {
  const [header = '', claims = ''] = token.split('.')
  const signature = 'A'.repeat(342)
  const named: unknown = JSON.parse(Buffer.from(header, 'base64url').toString())
  const kid = randomBytes(32).toString('base64url')
  const foreign = JSON.stringify(Object.assign({}, named, { kid }))
  return [header, Buffer.from(foreign).toString('base64url')].map(
    (first) => `${first}.${claims}.${signature}`,
  )
}

function describe({ status, headers, body }: Answer): string {
  return `${status} ${headers['www-authenticate'] ?? ''} ${body}`.slice(0, 300)
}
