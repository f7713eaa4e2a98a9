/**
 * The texts of `gatewarden --help` and `--version`.
 *
 * @module
 */
import { settings } from '../config/schema.ts'
import { flagOf } from '../config/sources/names.ts'
import { buildIdentity } from './build-identity.ts'
import type { Command } from './io.ts'

const NOTES = `
Every command but hash-password takes --config FILE (default: gatewarden.yaml, if it exists) and every setting as a flag.
A flag wins over the environment (PORT), the environment over .env, and .env over the file (port). See docs/configuration.md.
`

/** The help text: every command of the table, then every setting as a flag. */
export function helpText(commands: readonly { words: string; summary: string }[]): string {
  const usage = table(commands.map(({ words, summary }) => [`gatewarden ${words}`, summary]))
  const flags = table(
    settings.map(({ name, description }) => [flagOf(name), description.replaceAll('`', '')]),
  )
  return `Gatewarden, the login in front of any MCP server\n\n${usage}${NOTES}\n${flags}`
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join('')
}

export const version: Command = async (_args, io) => {
  io.stdout.write(`${buildIdentity().version}\n`)
  return 0
}
