/**
 * What is wrong with a configuration, in words for the person who wrote it. No value of a secret ever gets in here.
 *
 * @module
 */

/** Everything that is wrong with a configuration, found in one go. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  /** One line each: `SETTING: what is wrong. How to mend it.` */
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** A text that does not parse. The message is two sentences: what is wrong, and how to mend it. */
export class InvalidValue extends Error {
  override readonly name = 'InvalidValue'
}

/** Collects problems and warnings while a configuration is read. The same line twice is said once. */
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

/** Runs `parse`; what it throws as {@link InvalidValue} becomes a problem of `setting`, and the answer is undefined. */
export function attempt<T>(report: Report, setting: string, parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error
    report.problem(setting, error.message)
    return undefined
  }
}

/** A value in quotes on one line, cut short; what stands before an `@` may be a password and is left out. */
export function quote(value: string): string {
  const shown = value.replace(/\/\/.*@/s, '//…@')
  return JSON.stringify(shown.length > 80 ? `${shown.slice(0, 80)}…` : shown)
}
