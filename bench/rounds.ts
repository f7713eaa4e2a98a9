/**
 * Rounds of load in which all cases take turns, so that a disturbance affects all of them alike.
 *
 * @module
 */
import { flood, type Load } from './load.ts'
import { median, type ServerUnderTest } from './under-test.ts'

const ROUNDS = 15
/** Rounds before the measurement, for the compiler. */
const WARM_UP = 4
const CONNECTIONS = 16

export interface Case {
  readonly server: ServerUnderTest
  readonly load: Load
}

export interface Result {
  /** Microseconds of processor time per request: the median of the rounds. */
  readonly cpu: number
  /** Processor time divided by that of each base case in the same round: the medians. */
  readonly ratios: readonly number[]
  /** Requests a second. */
  readonly rate: number
  readonly status: number
}

/** @param options `bases`: indexes of the cases to compare with; `requests`: their number per case and round */
export async function takeTurns(
  cases: readonly Case[],
  { bases, requests }: { bases: readonly number[]; requests: number },
): Promise<readonly Result[]> {
  const rounds: { cpu: number; rate: number; status: number }[][] = []
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const results = []
    for (const { server, load } of cases) {
      const before = await server.usage()
      const { perSecond, status } = await flood(load, { count: requests, connections: CONNECTIONS })
      const after = await server.usage()
      results.push({ cpu: (after.cpu - before.cpu) / requests, rate: perSecond, status })
    }
    if (round >= 0) rounds.push(results)
  }
  return cases.map((_, index) => {
    const of = (pick: (round: (typeof rounds)[number]) => number | undefined) =>
      median(rounds.map((round) => pick(round) ?? Number.NaN))
    return {
      cpu: of((round) => round[index]?.cpu),
      ratios: bases.map((base) =>
        of((round) => (round[index]?.cpu ?? Number.NaN) / (round[base]?.cpu ?? Number.NaN)),
      ),
      rate: of((round) => round[index]?.rate),
      status: rounds[0]?.[index]?.status ?? 0,
    }
  })
}
