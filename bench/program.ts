/**
 * The program itself under test: `dist/main.js` with a configuration file of its own, for what only the whole process
 * has, as its memory.
 *
 * @module
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hash } from '@node-rs/argon2'
import { freePort } from '../scripts/lib/ports.ts'
import { type RunningProcess, startProcess } from '../scripts/lib/processes.ts'

export interface Program {
  readonly port: number
  /** Starts it, and resolves when it listens. */
  start(): Promise<RunningProcess>
}

/**
 * Writes a configuration: the built-in login with one user, on a free port.
 * @param settings of the file, beside these or in their place, by the port
 */
export async function createProgram(
  folder: string,
  settings: (port: number) => Readonly<Record<string, unknown>>,
): Promise<Program> {
  const port = await freePort()
  const file = join(folder, `${port}.yaml`)
  await writeFile(
    file,
    JSON.stringify({
      public_url: `http://localhost:${port}`,
      host: '127.0.0.1',
      port,
      data_dir: join(folder, `data-${port}`),
      log_level: 'info',
      resources: { notes: { url: `http://localhost:${port}/mcp` } },
      allow: { emails: ['*'] },
      users: { ann: { email: 'ann@example.com', password_hash: await hash('unused') } },
      ...settings(port),
    }),
  )
  return {
    port,
    start: () =>
      startProcess({
        name: 'gatewarden',
        command: process.execPath,
        args: [fileURLToPath(new URL('../../dist/main.js', import.meta.url)), '--config', file],
        ready: (output) => output.includes('"listening"'),
      }),
  }
}

/** Resident memory of a process, in MiB. */
export async function residentMiB(pid: number): Promise<number> {
  const kib = /VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Math.round(Number(kib) / 1024)
}
