/**
 * Finds the command that the arguments name, in the table, and runs it or shows its help.
 *
 * @module
 */
import { didYouMean } from '../config/values/suggest.ts'
import { COMMANDS } from './commands.ts'
import { commandHelp, helpText, version } from './help.ts'
import type { Io } from './io.ts'

/**
 * @param argv the arguments behind the name of the program; without a command they belong to `serve`
 * @returns the exit code: 0, 1 for a failure, 2 for a mistake in arguments or configuration
 */
export async function dispatch(argv: readonly string[], io: Io): Promise<number> {
  const isHelp = (arg: string) => /^(-h|--?help)$/.test(arg)
  const wantsHelp = argv[0] === 'help' || argv.some(isHelp)
  const [first = 'serve', ...rest] = argv.filter((arg) => !isHelp(arg))
  if (wantsHelp) return help(argv[0] === 'help' ? rest : argv.filter((arg) => !isHelp(arg)), io)
  if (/^(-v|--?version)$/.test(first)) return version([], io)
  // A flag without a command belongs to `serve`.
  const given = first.startsWith('-') ? ['serve', ...argv] : [first, ...rest]
  const { words, command, args } = find(given)
  if (command) return command.run(args, io)
  return unknownCommand(words, io)
}

/** The help of the named command; of the whole program, if none is named. */
function help(asked: readonly string[], io: Io): number {
  const [first] = asked
  const { words, command } = find(asked)
  if (first !== undefined && !first.startsWith('-') && !command && !isGroup(words)) {
    return unknownCommand(words, io)
  }
  const group = COMMANDS.filter((row) => row.words.startsWith(`${words} `))
  const shown = command ? commandHelp(command) : helpText(group.length > 0 ? group : COMMANDS)
  io.stdout.write(shown)
  return 0
}

const isGroup = (word: string | undefined) =>
  COMMANDS.some(({ words }) => words.startsWith(`${word} `))

/** The command that the first words name, and the rest of the arguments. */
function find(given: readonly string[]) {
  const args = [...given]
  const words = args.splice(0, isGroup(given[0]) ? 2 : 1).join(' ')
  return { words, args, command: COMMANDS.find((row) => row.words === words) }
}

function unknownCommand(words: string, io: Io): number {
  if (isGroup(words)) {
    const rest = COMMANDS.filter((row) => row.words.startsWith(`${words} `)).map((row) => row.words)
    io.stderr.write(`gatewarden ${words} needs a word more: ${rest.join(', ')}.\n`)
    return 2
  }
  const names = [...COMMANDS.map((row) => row.words), 'help']
  const hint = didYouMean(words, names, 'See gatewarden --help.')
  io.stderr.write(`gatewarden ${words}: there is no such command. ${hint}\n`)
  return 2
}
