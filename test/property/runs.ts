/**
 * How many inputs each property gets. The seed is fixed, so that a run of `npm test` says the same each time; a longer
 * run with other inputs: `GATEWARDEN_FUZZ_RUNS=20000 GATEWARDEN_FUZZ_SEED=7 npm test -- test/property`.
 *
 * @module
 */
import type { Parameters } from 'fast-check'

const { GATEWARDEN_FUZZ_RUNS: runs, GATEWARDEN_FUZZ_SEED: seed } = process.env

/** @param share of the runs, for properties whose input costs more */
export const bounded = (share = 1): Parameters<unknown> => ({
  numRuns: Math.max(1, Math.round(Number(runs ?? 300) * share)),
  seed: Number(seed ?? 20_261_130),
})
