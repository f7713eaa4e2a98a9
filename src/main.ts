#!/usr/bin/env node
/**
 * The program's entry finds the subcommand in the table, runs it and sets the exit code. It owns no command.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { COMMANDS } from './cli/commands.ts'
import { helpText, version } from './cli/help.ts'
import type { Io } from './cli/io.ts'
import { didYouMean } from './config/values/suggest.ts'

async function run(argv: readonly string[], io: Io): Promise<number> {
  const [first = 'serve', ...rest] = argv
  if (first === 'help' || argv.some((arg) => /^(-h|--?help)$/.test(arg))) {
    io.stdout.write(helpText(COMMANDS))
    return 0
  }
  if (/^(-v|--?version)$/.test(first)) return version([], io)
  // A flag without a command belongs to `serve`.
  const given = first.startsWith('-') ? ['serve', ...argv] : [first, ...rest]
  const isGroup = COMMANDS.some(({ words }) => words.startsWith(`${given[0]} `))
  const words = given.splice(0, isGroup ? 2 : 1).join(' ')
  const command = COMMANDS.find((row) => row.words === words)
  if (command) return command.run(given, io)
  const names = [...COMMANDS.map((row) => row.words), 'help']
  const hint = didYouMean(words, names, 'See gatewarden --help.')
  io.stderr.write(`gatewarden ${words}: there is no such command. ${hint}\n`)
  return 2
}

const code = await run(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  readFile: (path) => readFileSync(path, 'utf8'),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
})
// Handles that a failed start leaves open must neither keep the process alive nor change its exit code.
if (code !== 0) process.exit(code)
