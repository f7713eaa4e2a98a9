/**
 * The parameters that a command line puts into the address it opens: its port and the code it shows. Pure.
 *
 * @module
 */

export interface ConnectParameters {
  /** A port on 127.0.0.1 of the person's computer: 1 to 65535. */
  readonly callbackPort: number
  /** Shown in the terminal and on the page: `[A-Za-z0-9-]{1,64}`. */
  readonly code: string
}

export type ParsedConnect =
  | { readonly ok: true; readonly parameters: ConnectParameters }
  /** `error` uses mcpauth's text if mcpauth has one. */
  | { readonly ok: false; readonly error: string }

const PORT = /^[1-9][0-9]{0,4}$/
const CODE = /^[A-Za-z0-9-]{1,64}$/

/**
 * Reads the query of `/auth/connect`. Both values go into the page that holds the session, so anything but exactly a
 * port and a code is refused, never fixed: mcpauth put the port into a script unchecked.
 * @param query without its question mark
 */
export function parseConnect(query: string): ParsedConnect {
  const given = new URLSearchParams(query)
  const ports = given.getAll('callback_port')
  const codes = given.getAll('code')
  if (ports.length > 1 || codes.length > 1)
    return refused('callback_port or code occurs more than once')
  const [port = ''] = ports
  const [code = ''] = codes
  if (port === '' || code === '') return refused('callback_port and code are required')
  if (!PORT.test(port) || Number(port) > 65_535) {
    return refused('callback_port is not a port from 1 to 65535')
  }
  if (!CODE.test(code)) return refused('code is not 1 to 64 letters, digits and hyphens')
  return { ok: true, parameters: { callbackPort: Number(port), code } }
}

const refused = (error: string): ParsedConnect => ({ ok: false, error })

/** The query with these parameters and nothing else. */
export const connectQuery = ({ callbackPort, code }: ConnectParameters): string =>
  `callback_port=${callbackPort}&code=${code}`
