#!/usr/bin/env node
/**
 * The program's entry finds the subcommand in the table, runs it and sets the exit code. It owns no command.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { COMMANDS } from './cli/commands.ts'
import { commandHelp, helpText, version } from './cli/help.ts'
import type { Io } from './cli/io.ts'
import { didYouMean } from './config/values/suggest.ts'

async function run(argv: readonly string[], io: Io): Promise<number> {
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
  const names = [...COMMANDS.map((row) => row.words), 'help']
  const hint = didYouMean(words, names, 'See gatewarden --help.')
  io.stderr.write(`gatewarden ${words}: there is no such command. ${hint}\n`)
  return 2
}

const code = await run(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  readFile: (path) => readFileSync(path, 'utf8'),
  listFolder: (path) => readdirSync(path),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
})
// Handles that a failed start leaves open must neither keep the process alive nor change its exit code.
if (code !== 0) process.exit(code)
