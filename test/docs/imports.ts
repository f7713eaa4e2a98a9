/**
 * The import lines of the source.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { ROOT } from '../support/documentation.ts'

export interface Import {
  /**
   * The path of a file of ours from the top of the repository, else the name of a package: `fastify`, `node:crypto`.
   */
  readonly target: string
  /** The compiler removes the import. */
  readonly typeOnly: boolean
}

const IMPORT =
  /^(?:import|export)\s+(?:(type)\s+)?(?:[\w*\s{},]+?\s+from\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm

/** Every file of src/, as a path from the top of the repository. */
export function sourceFiles(): readonly string[] {
  return readdirSync(`${ROOT}src`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `src/${name}`)
}

/** The static and dynamic imports of a file. @throws Error if there is no such file */
export function importsOf(file: string): readonly Import[] {
  const text = readFileSync(ROOT + file, 'utf8')
  return [...text.matchAll(IMPORT)].map(([, type, fixed, dynamic]) => ({
    target: resolve(file, fixed ?? dynamic ?? ''),
    typeOnly: type !== undefined,
  }))
}

function resolve(file: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(file), specifier)
  if (specifier.startsWith('node:')) return specifier
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/**
 * The shortest chain of imports from `file` to a forbidden target; empty if there is none. Imports of types count only
 * in
 * `file` itself.
 */
export function chainTo(file: string, forbidden: (target: string) => boolean): readonly string[] {
  const seen = new Set([file])
  const chains: string[][] = [[file]]
  for (const chain of chains) {
    for (const { target, typeOnly } of importsOf(chain.at(-1) ?? '')) {
      if (typeOnly && chain.length > 1) continue
      if (forbidden(target)) return [...chain, target]
      if (typeOnly || seen.has(target) || !target.startsWith('src/')) continue
      seen.add(target)
      chains.push([...chain, target])
    }
  }
  return []
}
