/**
 * Loads the configuration for a subcommand and prints its problems and warnings to standard error.
 *
 * @module
 */
import type { Config } from '../config/config.ts'
import { type Loaded, type LoadOptions, loadConfig, loadListen } from '../config/load.ts'
import { ConfigError } from '../config/values/problem.ts'
import type { Io } from './io.ts'

/** @returns the configuration, or undefined after printing its problems, one per line: the command then exits with 2 */
export function loadOrExplain(argv: readonly string[], io: Io): Loaded | undefined {
  return orExplain(io, () => {
    const loaded = loadConfig(optionsOf(argv, io))
    for (const warning of loaded.warnings) io.stderr.write(`warning: ${warning}\n`)
    return loaded
  })
}

/** @returns the address that the process listens on, or undefined after printing the problems of that address */
export function listenOrExplain(argv: readonly string[], io: Io): Config['listen'] | undefined {
  return orExplain(io, () => loadListen(optionsOf(argv, io)))
}

const optionsOf = (argv: readonly string[], io: Io): LoadOptions => ({
  argv,
  env: io.env,
  cwd: io.cwd,
  readFile: io.readFile,
  ...(io.listFolder && { listFolder: io.listFolder }),
})

function orExplain<T>(io: Io, load: () => T): T | undefined {
  try {
    return load()
  } catch (error) {
    explain(error, io)
    return undefined
  }
}

/**
 * Prints the problems of a {@link ConfigError}, one per line.
 * @throws any other error, unchanged
 */
export function explain(error: unknown, io: Pick<Io, 'stderr'>): void {
  if (!(error instanceof ConfigError)) throw error
  for (const problem of error.problems) io.stderr.write(`${problem}\n`)
}
