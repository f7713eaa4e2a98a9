/**
 * Runs a script like a person who pastes it into a terminal.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** The text on the terminal so far: standard output and standard error. */
export interface Shown {
  readonly output: string
  readonly errors: string
}

/**
 * Runs a script with bash, which gets only PATH of our environment.
 * @param options.answer the line to type, once, as soon as it is not undefined for the text on the terminal
 * @param options.folder the working directory
 */
export async function runBash(
  script: string,
  options: {
    readonly environment: Readonly<Record<string, string>>
    readonly folder: string
    readonly answer?: (shown: Shown) => Promise<string> | undefined
  },
): Promise<Shown & { readonly exitCode: number | null }> {
  const child = spawn('bash', ['-c', script], {
    cwd: options.folder,
    // SHLVL: with a socket as its input, bash would otherwise take us for rshd and read ~/.bashrc.
    env: { PATH: process.env.PATH ?? '', SHLVL: '1', ...options.environment },
  })
  let output = ''
  let errors = ''
  let typed = false
  const look = async () => {
    const answer = typed ? undefined : options.answer?.({ output, errors })
    if (!answer) return
    typed = true
    child.stdin.end(`${await answer}\n`)
  }
  const failed = new Promise<never>((_resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
      look().catch(reject)
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      errors += chunk
      look().catch(reject)
    })
  })
  if (!options.answer) child.stdin.end()
  await Promise.race([once(child, 'close'), failed])
  return { output, errors, exitCode: child.exitCode }
}
