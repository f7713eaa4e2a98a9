/**
 * Preloaded into a program: its clock is two hours ahead.
 *
 * @module
 */
const TWO_HOURS_MS = 2 * 60 * 60 * 1000
const { now } = Date

Date.now = () => now() + TWO_HOURS_MS
