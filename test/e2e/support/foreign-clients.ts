/**
 * Runs MCP clients that are written in other languages, or want a Node of their own: as child processes that say which
 * address a person has to open.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { z } from 'zod'

const Result = z.object({ echoed: z.array(z.string()), tokens: z.int().optional() })
/** A line that a program of `test/e2e/clients/` prints. */
const Line = z.union([z.object({ authorize: z.string() }), Result])

/** How it went. */
export interface ForeignRun {
  /** The answers of the tool `echo`. */
  readonly echoed: readonly string[]
  /** The number of token answers that the client received, if it counts them. */
  readonly tokens?: number | undefined
  /** The number of times that it sent a person to the browser. */
  readonly signIns: number
}

/**
 * Runs a program of `test/e2e/clients/` to its end.
 * @param options `signIn` takes a person to the address of the client's callback and returns it
 * @throws Error with its output if it ends without a result
 */
export async function runForeignClient(
  [command = '', ...args]: readonly string[],
  { signIn }: { readonly signIn: (authorizationUrl: URL) => Promise<URL> },
): Promise<ForeignRun> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  let result: z.infer<typeof Result> | undefined
  let signIns = 0
  const told: Promise<void>[] = []
  const take = async (line: string) => {
    const message = Line.parse(JSON.parse(line))
    if ('echoed' in message) {
      result = message
      return
    }
    signIns++
    child.stdin.write(`${(await signIn(new URL(message.authorize))).href}\n`)
  }
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    const taken = take(line)
    taken.catch(() => child.kill())
    told.push(taken)
  })
  const [code] = await once(child, 'close')
  await Promise.all(told)
  if (!result) throw new Error(`${command} ended with ${code}:\n${said}`)
  return { ...result, signIns }
}
