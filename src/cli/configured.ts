/**
 * Loads the configuration for a subcommand and says on standard error what is wrong or doubtful about it.
 *
 * @module
 */
import type { Config } from '../config/config.ts'
import { type Loaded, type LoadOptions, loadConfig, loadListen } from '../config/load.ts'
import { ConfigError } from '../config/values/problem.ts'
import type { Io } from './io.ts'

/** The configuration, or undefined once its problems are printed, one a line: exit 2 then. */
export function loadOrExplain(argv: readonly string[], io: Io): Loaded | undefined {
  return orExplain(io, () => {
    const loaded = loadConfig(optionsOf(argv, io))
    for (const warning of loaded.warnings) io.stderr.write(`warning: ${warning}\n`)
    return loaded
  })
}

/** Where the process listens, or undefined once the problems of that are printed. */
export function listenOrExplain(argv: readonly string[], io: Io): Config['listen'] | undefined {
  return orExplain(io, () => loadListen(optionsOf(argv, io)))
}

const optionsOf = (argv: readonly string[], { env, cwd, readFile }: Io): LoadOptions => ({
  argv,
  env,
  cwd,
  readFile,
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
 * Prints the problems of a {@link ConfigError}, one a line.
 * @throws any other error as it is
 */
export function explain(error: unknown, io: Pick<Io, 'stderr'>): void {
  if (!(error instanceof ConfigError)) throw error
  for (const problem of error.problems) io.stderr.write(`${problem}\n`)
}
