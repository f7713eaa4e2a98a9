/**
 * Loads the configuration for a subcommand and says on standard error what is wrong or doubtful about it.
 *
 * @module
 */
import { type Loaded, loadConfig } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import type { Io } from './io.ts'

/** The configuration, or undefined once its problems are printed, one a line: exit 2 then. */
export function loadOrExplain(argv: readonly string[], io: Io): Loaded | undefined {
  try {
    const loaded = loadConfig({ argv, env: io.env, cwd: io.cwd, readFile: io.readFile })
    for (const warning of loaded.warnings) io.stderr.write(`warning: ${warning}\n`)
    return loaded
  } catch (error) {
    explain(error, io)
    return undefined
  }
}

/**
 * Prints the problems of a {@link ConfigError}, one a line.
 * @throws any other error as it is
 */
export function explain(error: unknown, io: Pick<Io, 'stderr'>): void {
  if (!(error instanceof ConfigError)) throw error
  for (const problem of error.problems) io.stderr.write(`${problem}\n`)
}
