/**
 * Takes the arguments that belong to one subcommand out of its command line; the rest are flags of the configuration.
 *
 * @module
 */

export interface OwnArguments<Flag extends string> {
  /** The arguments before the first flag. */
  readonly words: readonly string[]
  /** Every value of each flag; a comma separates several. */
  readonly values: (flag: Flag) => readonly string[]
  readonly rest: readonly string[]
}

/**
 * Splits the arguments of one subcommand.
 * @param flags the flags of the subcommand, such as `--scope`; each has a value
 * @returns the arguments, or the flag that has no value
 */
export function takeOwnFlags<Flag extends string>(
  args: readonly string[],
  flags: readonly Flag[],
): OwnArguments<Flag> | { readonly withoutValue: Flag } {
  const firstFlag = args.findIndex((arg) => arg.startsWith('-'))
  const words = firstFlag === -1 ? args : args.slice(0, firstFlag)
  const found = new Map<Flag, string[]>()
  const rest: string[] = []
  for (let index = words.length; index < args.length; index += 1) {
    const arg = args[index] ?? ''
    const flag = flags.find((known) => arg === known || arg.startsWith(`${known}=`))
    if (flag === undefined) {
      rest.push(arg)
      continue
    }
    const value = arg === flag ? args[++index] : arg.slice(flag.length + 1)
    if (value === undefined || value === '' || value.startsWith('-')) return { withoutValue: flag }
    const parts = value.split(',').map((part) => part.trim())
    found.set(flag, [...(found.get(flag) ?? []), ...parts])
  }
  return { words, values: (flag) => found.get(flag) ?? [], rest }
}
