/**
 * "Did you mean ...?" for mistyped names.
 *
 * @module
 */

/** How many letters to insert, delete, replace or swap with a neighbour to turn `a` into `b` (Damerau-Levenshtein). */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries()) {
      const replace = (row[j] ?? 0) + (letter === other ? 0 : 1)
      const swaps = i > 0 && j > 0 && letter === b[j - 1] && other === a[i - 1]
      const swap = swaps ? (before[j - 1] ?? 0) + 1 : Number.POSITIVE_INFINITY
      next.push(Math.min(replace, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, swap))
    }
    before = row
    row = next
  }
  return row[b.length] ?? 0
}

/** The candidate nearest to a mistyped name, ignoring case; undefined if none is within `limit` letters. */
export function nearest(name: string, candidates: Iterable<string>, limit = 2): string | undefined {
  let best: { candidate: string; distance: number } | undefined
  const many = plural(name).toLowerCase()
  for (const candidate of candidates) {
    if (candidate.toLowerCase() === many) return candidate
    if (Math.abs(candidate.length - name.length) > limit) continue
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance <= limit && distance < (best?.distance ?? Number.POSITIVE_INFINITY)) {
      best = { candidate, distance }
    }
  }
  return best?.candidate
}

/** The plural of `name`: lists have plural names, and people write `TRUSTED_PROXY`. */
function plural(name: string): string {
  return name.replace(/y$/i, (y) => (y === 'y' ? 'ie' : 'IE')) + (/[a-z]$/.test(name) ? 's' : 'S')
}

/** The second sentence of a problem about an unknown name. */
export function didYouMean(name: string, candidates: Iterable<string>, otherwise: string): string {
  const found = nearest(name, candidates)
  return found === undefined ? otherwise : `Did you mean ${found}?`
}
