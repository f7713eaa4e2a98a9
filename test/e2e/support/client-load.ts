/**
 * A steady load of clients, and a verdict on each answer they get: an outage may cause 503 with `Retry-After`, and no
 * other error.
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
 * - `dead`: a check of a revoked or a forged token;
 * - `refresh`, `code`: at the token endpoint;
 * - `login`: a person's way to a code.
 */
export type Task = 'known' | 'fresh' | 'dead' | 'refresh' | 'code' | 'login'
const TASKS: readonly Task[] = ['known', 'fresh', 'dead', 'refresh', 'code', 'login']

/** The outcome of a task. Times are milliseconds of `performance.now()`. */
export interface Outcome {
  readonly task: Task
  readonly verdict: 'right' | 'unavailable'
  readonly sentAt: number
  readonly answeredAt: number
}

export interface ClientLoad {
  readonly outcomes: readonly Outcome[]
  /** A line for each wrong answer. */
  readonly wrong: readonly string[]
  /**
   * The number of codes refused because an earlier attempt, answered with 503, had spent them and was not undone yet.
   */
  readonly early: number
  /** The number of lost codes among those issued while {@link ClientLoad.expectLoss} was set. */
  readonly lost: number
  /** Obtains codes to redeem later, and ends a grant whose token every process knows. */
  prepare(): Promise<void>
  /**
   * Sets whether codes issued from now on may be lost, by a failover of a Redis that does not wait for its replicas.
   */
  expectLoss(isExpected: boolean): void
  /** Accepts from now on that tokens and codes issued before are refused: the store loses them. */
  forget(): void
  /** Signs people in anew. From now on the forgotten tokens have to be refused. */
  begin(): Promise<void>
  /** The time when the last kind of task succeeded again after `since`; undefined until all kinds have. */
  recoveredAt(since: number): number | undefined
  /** Resolves once every running task has ended. */
  stop(): Promise<void>
}

const KNOWN_TOKENS = 4
const PAUSE_MS = { check: 15, refresh: 120, code: 250, login: 400 }
/** The time until every process has to know a revocation (decision K27). */
const REVOKED_WITHIN_MS = 1000

/** A token or code, and the era of its issue: those of an earlier era may be refused. */
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

  /** Sends a request and records its outcome; `judge` decides about answers that are no outage. */
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

/** Two forged tokens in our format, without a valid signature: with a known key id, and with an unknown one. */
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
