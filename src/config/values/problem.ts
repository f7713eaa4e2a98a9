/**
 * This folder owns the parsers, one value each, and the problems that they report. It does not know where a value comes
 * from.
 *
 * A problem tells the person who wrote the configuration what is wrong and how to fix it. No problem shows a secret.
 *
 * @module
 */

/** All problems of a configuration at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  /** A line each: `SETTING: what is wrong. How to fix it.` */
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** A text that does not parse. The message has two sentences: what is wrong, and how to fix it. */
export class InvalidValue extends Error {
  override readonly name = 'InvalidValue'
}

/** Collects problems and warnings while a configuration is read. It keeps a repeated line once. */
export interface Report {
  problem(setting: string, text: string): void
  warning(setting: string, text: string): void
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

/** An empty report. */
export function createReport(): Report {
  const problems = new Set<string>()
  const warnings = new Set<string>()
  return {
    problem: (setting, text) => problems.add(line(setting, text)),
    warning: (setting, text) => warnings.add(line(setting, text)),
    get problems() {
      return [...problems]
    },
    get warnings() {
      return [...warnings]
    },
  }
}

const line = (setting: string, text: string) => `${setting}: ${text}`.replace(/\p{Cc}/gu, ' ')

/** Runs `parse`. If it throws {@link InvalidValue}, reports a problem of `setting` and returns undefined. */
export function attempt<T>(report: Report, setting: string, parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error
    report.problem(setting, error.message)
    return undefined
  }
}

/** A value in quotes, shortened. The part before an `@` may hold a password, so it is left out. */
export function quote(value: string): string {
  const shown = value.replace(/\/\/.*@/s, '//…@')
  return JSON.stringify(shown.length > 80 ? `${shown.slice(0, 80)}…` : shown)
}
