/**
 * `gatewarden token`: signs a person in at an MCP server by a code, from a terminal without a browser, and prints the
 * access token.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { plain } from './answers.ts'
import type { Command, Io } from './io.ts'
import { parseTokenOptions, type TokenOptions } from './token/arguments.ts'
import {
  type Begun,
  begin,
  pollForTokens,
  registerOnce,
  type Tokens,
} from './token/device-login.ts'
import { discover } from './token/discovery.ts'
import { createRequests, NoToken } from './token/requests.ts'

/** The exit code of a command that Ctrl-C ended, as shells count: 128 and the number of the signal. */
const INTERRUPTED = 130

export interface Surroundings {
  readonly fetch: typeof fetch
  /** Resolves after so many seconds, and rejects when the signal comes. */
  readonly wait: (seconds: number, signal: AbortSignal) => Promise<void>
  /** Milliseconds on a clock that is never set back. */
  readonly elapsed: () => number
  /** Calls back at Ctrl-C, until the function that it returns is called. */
  readonly onInterrupt: (stop: () => void) => () => void
}

export const token: Command = createToken({
  fetch,
  wait: async (seconds, signal) => delay(seconds * 1000, undefined, { signal }),
  elapsed: () => performance.now(),
  onInterrupt(stop) {
    process.once('SIGINT', stop)
    return () => process.off('SIGINT', stop)
  },
})

export function createToken(surroundings: Surroundings): Command {
  return async (args, io) => {
    let options: TokenOptions
    try {
      options = parseTokenOptions(args)
    } catch (error) {
      io.stderr.write(`${messageOf(error)} See gatewarden token --help.\n`)
      return 2
    }
    const interruption = new AbortController()
    const forget = surroundings.onInterrupt(() => interruption.abort())
    try {
      const tokens = await signIn(options, io, { ...surroundings, signal: interruption.signal })
      // Standard output has the token and nothing else, so that a script can catch it.
      io.stdout.write(`${options.json ? JSON.stringify(tokens) : tokens.access_token}\n`)
      return 0
    } catch (error) {
      if (interruption.signal.aborted) {
        io.stderr.write('Stopped. Nothing was printed.\n')
        return INTERRUPTED
      }
      if (!(error instanceof NoToken)) throw error
      io.stderr.write(`${error.message}\n`)
      return 1
    } finally {
      forget()
    }
  }
}

async function signIn(
  { url, scope, clientId: givenId, json }: TokenOptions,
  io: Io,
  { signal, ...surroundings }: Surroundings & { readonly signal: AbortSignal },
): Promise<Tokens> {
  const requests = createRequests({ fetch: surroundings.fetch, signal })
  const found = await discover(url, requests)
  // A refresh token that nobody sees would only be one more secret.
  const clientId = givenId ?? (await registerOnce(found, requests, { refresh: json }))
  const asked = { clientId, scope: scope ?? found.scope, server: url }
  const codes = await begin(found, requests, asked)
  io.stderr.write(instructions(codes))
  return pollForTokens(
    codes,
    { clientId, found },
    {
      requests,
      elapsed: surroundings.elapsed,
      wait: (seconds) => surroundings.wait(seconds, signal),
    },
  )
}

function instructions(codes: Begun): string {
  const minutes = Math.max(1, Math.floor(codes.expires_in / 60))
  return [
    `Open this address in any browser:  ${codes.page}`,
    `and type this code:                ${plain(codes.user_code)}`,
    ...(codes.filledPage === undefined ? [] : [`Or open:  ${codes.filledPage}`]),
    `Waiting for the answer, ${minutes} ${minutes === 1 ? 'minute' : 'minutes'} at most. Ctrl-C stops.`,
    '',
  ].join('\n')
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
