/**
 * The command line of `gatewarden demo`.
 *
 * @module
 */
import { parseArgs } from 'node:util'

export interface DemoOptions {
  readonly port?: number
  /** The folder as the person typed it, relative to the working directory. */
  readonly folder: string
  readonly json: boolean
}

/** @throws Error with a message for the person who typed the command */
export function parseDemoOptions(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string' },
      folder: { type: 'string', default: '.demo' },
      json: { type: 'boolean', default: false },
    },
  })
  const port = values.port === undefined ? undefined : parsePort(values.port)
  return { json: values.json, folder: values.folder, ...(port !== undefined && { port }) }
}

/** @throws Error with a message for the person who typed the option */
export function parsePort(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port
  throw new Error(`--port: "${text}" is not a port. Give a number from 1 to 65535.`)
}
