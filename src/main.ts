#!/usr/bin/env node
/**
 * The command: a table of subcommands, of which `serve` is the default.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { configCheck } from './cli/config-check.ts'
import { configPrint } from './cli/config-print.ts'
import { explain, loadOrExplain } from './cli/configured.ts'
import { hashPassword } from './cli/hash-password.ts'
import { healthcheck } from './cli/healthcheck.ts'
import { help, version } from './cli/help.ts'
import type { Command, Io } from './cli/io.ts'
import { keysList, keysRotate } from './cli/keys.ts'
import { didYouMean } from './config/suggest.ts'
import { keepTickShape } from './http/tick-shape.ts'

const serve: Command = async (args, io) => {
  const loaded = loadOrExplain(args, io)
  if (!loaded) return 2
  keepTickShape()
  // Only here: the other subcommands answer without loading a web server.
  const program = await import('./cli/serve.ts')
  try {
    await program.serve(loaded.config)
    return 0
  } catch (error) {
    // What only starting can find out, such as a busy port.
    explain(error, io)
    return 2
  }
}

const commands = new Map<string, Command>([
  ['serve', serve],
  ['hash-password', hashPassword],
  ['config check', configCheck],
  ['config print', configPrint],
  ['healthcheck', healthcheck],
  ['keys list', keysList],
  ['keys rotate', keysRotate],
  ['help', help],
  ['version', version],
])

function run(argv: readonly string[], io: Io): Promise<number> {
  if (argv.some((arg) => /^(-h|--?help)$/.test(arg))) return help([], io)
  const [first = 'serve', ...rest] = argv
  if (/^(-v|--?version)$/.test(first)) return version([], io)
  if (first.startsWith('-')) return serve(argv, io)
  const name = /^(config|keys)$/.test(first) ? [first, ...rest.splice(0, 1)].join(' ') : first
  const command = commands.get(name)
  if (command) return command(rest, io)
  const hint = didYouMean(name, commands.keys(), 'See gatewarden --help.')
  io.stderr.write(`gatewarden ${name}: there is no such command. ${hint}\n`)
  return Promise.resolve(2)
}

const code = await run(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  readFile: (path) => readFileSync(path, 'utf8'),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
})
// Whatever a failed start leaves open must neither keep the process alive nor change its exit code.
if (code !== 0) process.exit(code)
