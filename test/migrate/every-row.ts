/**
 * Tries every row of a page below docs/migrate under its number.
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import type { Row } from './migration-page.ts'
import type { Proofs } from './proof.ts'

/** Declares the tests of a page. */
export function tryEveryRow(rows: readonly Row[], proofs: Proofs): void {
  it('has a test for every row, and a row for every test', () => {
    expect(rows.map(({ id }) => id).toSorted()).toEqual(Object.keys(proofs).toSorted())
  })

  it('says of every row what became of it', () => {
    const undecided = rows.filter(({ here }) => !/^(?:kept|changed|refused|missing)\b/.test(here))
    expect(undecided).toEqual([])
  })

  describe.each(rows)('$id: $theirs', ({ id, here }) => {
    // Some rows are whole sign-ins, several times over.
    it(`is ${here}`, { timeout: 30_000 }, async () => {
      await proofs[id]?.()
    })
  })
}
