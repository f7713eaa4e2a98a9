/**
 * `gatewarden --help` and `--version`.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { flagOf } from '../config/names.ts'
import { settings } from '../config/schema.ts'
import type { Command } from './io.ts'

const USAGE = `Gatewarden, the login in front of any MCP server

  gatewarden [serve]        start it
  gatewarden hash-password  turn a password into a hash for users in gatewarden.yaml
  gatewarden config check   say what is wrong with the configuration, or ok
  gatewarden config print   show each value and where it came from
  gatewarden healthcheck    ask the running process whether it is alive
  gatewarden keys list      show the keys that sign tokens
  gatewarden keys rotate    add a new one that signs in ten minutes; --compromised: now, ending all tokens
  gatewarden --version

All but hash-password take --config FILE (else gatewarden.yaml, where there is one) and every setting as a flag.
A flag wins over the environment (PORT), that over .env, that over the file (port). docs/configuration.md says more.
`

export const help: Command = async (_args, io) => {
  const rows = settings.map((setting) => [flagOf(setting.name), setting.description] as const)
  const width = Math.max(...rows.map(([flag]) => flag.length))
  const lines = rows.map(([flag, text]) => `  ${flag.padEnd(width)}  ${text.replaceAll('`', '')}\n`)
  io.stdout.write(`${USAGE}\n${lines.join('')}`)
  return 0
}

export const version: Command = async (_args, io) => {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  )
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  io.stdout.write(`${known ? manifest.version : 'unknown'}\n`)
  return 0
}
