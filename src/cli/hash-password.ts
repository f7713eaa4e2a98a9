/**
 * `gatewarden hash-password`: turns a password into a hash for `users.<name>.password_hash`.
 *
 * @module
 */
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { hash } from '@node-rs/argon2'
import type { Command, Io } from './io.ts'

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** The login form takes no longer password. */
const MAX_LENGTH = 1024

export const hashPassword: Command = async (args, io) => {
  if (args.length > 0) {
    // The message does not repeat the argument: it may be the password.
    io.stderr.write(
      'gatewarden hash-password takes no arguments: everyone on this machine could see them. Type the password when asked, or pipe it in.\n',
    )
    return 2
  }
  const answer = await (io.stdin.isTTY ? askTwice(io) : readAll(io))
  const problem = 'problem' in answer ? answer.problem : problemOf(answer.password)
  if (problem !== undefined || !('password' in answer)) {
    io.stderr.write(`${problem}\n`)
    return 1
  }
  io.stdout.write(`${await hash(answer.password, PARAMETERS)}\n`)
  return 0
}

type Answer = { readonly password: string } | { readonly problem: string }

function problemOf(password: string): string | undefined {
  if (password === '') return 'The password is empty.'
  if (password.length > MAX_LENGTH) return `The password is longer than ${MAX_LENGTH} characters.`
  if (/\p{Cc}/u.test(password)) {
    return 'The password holds a line break or another character that no login form can send.'
  }
  return undefined
}

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
    const problem = problemOf(password)
    if (problem !== undefined) return { problem }
    const again = await ask('Once more: ')
    return again === password
      ? { password }
      : { problem: 'The two passwords differ. Nothing was hashed.' }
  } finally {
    terminal.close()
  }
}
