/**
 * The command line of the demo.
 *
 * @module
 */
import { parseArgs } from 'node:util'

export const HELP = `npm run demo -- [options]

  --port N                  where everything is found: http://localhost:N (default: last time's, else 8080)
  --proxy traefik|builtin   what stands in front (default: Traefik when it can be had)
  --folder DIR              where its data is kept (default: .demo)
  --json                    print one JSON object when ready, and nothing else, on standard output;
                            npm prints two lines of its own unless you say npm run -s demo
  --help`

export interface DemoOptions {
  readonly port?: number
  readonly proxy?: 'traefik' | 'builtin'
  /** The folder as the person typed it, relative to the working directory. */
  readonly folder?: string
  readonly json: boolean
  readonly help: boolean
}

/** @throws Error with a message for the person who typed the command */
export function parseOptions(args: readonly string[]): DemoOptions {
  try {
    return parse(args)
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    const hint = args.some((arg) => /^\d+$/.test(arg) && !args.includes('--port'))
      ? 'Options come after two dashes: npm run demo -- --port 18080.'
      : 'See npm run demo -- --help.'
    throw new Error(`${problem} ${hint}`, { cause: error })
  }
}

function parse(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string' },
      proxy: { type: 'string' },
      folder: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const { proxy, folder, json, help } = values
  if (proxy !== undefined && proxy !== 'traefik' && proxy !== 'builtin') {
    throw new Error(`--proxy: "${proxy}" is neither traefik nor builtin.`)
  }
  const port = values.port === undefined ? undefined : Number(values.port)
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    throw new Error(`--port: "${values.port}" is not a port. Give a number from 1 to 65535.`)
  }
  return {
    json,
    help,
    ...(port !== undefined && { port }),
    ...(proxy && { proxy }),
    ...(folder && { folder }),
  }
}
