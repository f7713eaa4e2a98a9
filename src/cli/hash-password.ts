/**
 * `gatewarden hash-password`: turns a password into a hash for `users.<name>.password_hash` and `USERS`.
 *
 * @module
 */
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import type { Command, Io } from './io.ts'
import { hashOf, passwordProblem } from './passwords.ts'

export const hashPassword: Command = async (args, io) => {
  if (args.length > 0) {
    // The message does not repeat the argument: it may be the password.
    io.stderr.write(
      'gatewarden hash-password takes no arguments: everyone on this machine could see them. Type the password when asked, or pipe it in.\n',
    )
    return 2
  }
  const answer = await (io.stdin.isTTY ? askTwice(io) : readAll(io))
  const problem = 'problem' in answer ? answer.problem : passwordProblem(answer.password)
  if (problem !== undefined || !('password' in answer)) {
    io.stderr.write(`${problem}\n`)
    return 1
  }
  const hash = await hashOf(answer.password)
  // A script takes the hash alone; a person gets the lines to paste beside it.
  io.stdout.write(`${hash}\n`)
  if (io.stdin.isTTY || io.stdout.isTTY) io.stderr.write(linesToPaste(hash))
  return 0
}

/** Quotes keep the commas and the $ of the hash from YAML and the shell. */
const linesToPaste = (hash: string) => `
In gatewarden.yaml, with the quotes:

users: { ann: { email: ann@example.com, password_hash: "${hash}" } }

Or in the environment or .env, with the quotes:

USERS='ann@example.com:${hash}'

In a Compose file write each $ as $$.
`

type Answer = { readonly password: string } | { readonly problem: string }

/** Reads standard input. A single line break at its end comes from the shell and is not part of the password. */
async function readAll({ stdin }: Io): Promise<Answer> {
  const chunks: Buffer[] = []
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk))
  return {
    password: Buffer.concat(chunks)
      .toString('utf8')
      .replace(/\r?\n$/, ''),
  }
}

async function askTwice({ stdin, stderr }: Io): Promise<Answer> {
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({
    input: stdin,
    output: silence,
    terminal: true,
    historySize: 0,
  })
  const lines = terminal[Symbol.asyncIterator]()
  const ask = async (prompt: string): Promise<string | undefined> => {
    stderr.write(prompt)
    const { value, done } = await lines.next()
    stderr.write('\n')
    return done ? undefined : value
  }
  try {
    const password = await ask('Password: ')
    if (password === undefined) return { problem: 'Nothing was typed.' }
    const problem = passwordProblem(password)
    if (problem !== undefined) return { problem }
    const again = await ask('Once more: ')
    return again === password
      ? { password }
      : { problem: 'The two passwords differ. Nothing was hashed.' }
  } finally {
    terminal.close()
  }
}
