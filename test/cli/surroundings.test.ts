/** The started program outlives its surroundings: its log, its disk, its file descriptors. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it, vi } from 'vitest'
import { BASE, USERS } from '../config/harness.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const TIMEOUT = 60_000
const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

interface Program {
  readonly child: ChildProcess
  readonly exited: Promise<unknown[]>
  readonly port: number
  status(path: string): Promise<number>
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address ? address.port : 0
}

/** @param shell a command that ends in `"$@"`, which runs the program; `stdout` as in `spawn` */
async function start(options: {
  stdout?: 'pipe' | number
  shell?: string
  settings?: Record<string, string>
  onOutput?: (text: string) => void
}): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), 'gatewarden-'))
  writeFileSync(join(folder, 'gatewarden.yaml'), USERS)
  const port = await freePort()
  const { stdout = 'pipe', shell = 'exec "$@"', settings = {}, onOutput } = options
  const child = spawn(
    'sh',
    ['-c', shell, 'sh', process.execPath, '--import', import.meta.resolve('tsx'), main],
    {
      cwd: folder,
      env: { ...BASE, HOST: '127.0.0.1', PORT: String(port), ...settings },
      stdio: ['ignore', stdout, 'ignore'],
    },
  )
  if (onOutput) child.stdout?.on('data', (chunk) => onOutput(String(chunk)))
  const exited = once(child, 'exit')
  cleanUps.push(async () => {
    child.kill('SIGKILL')
    await exited
    rmSync(folder, { recursive: true, force: true })
  })
  const status = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      signal: AbortSignal.timeout(5000),
      headers: { connection: 'close' },
    })
    await answer.arrayBuffer()
    return answer.status
  }
  await vi.waitFor(async () => expect(await status('/readyz')).toBe(200), {
    timeout: 30_000,
    interval: 100,
  })
  return { child, exited, port, status }
}

/** Each of these requests makes the program write a line. */
async function makeItLog(program: Program, lines: number): Promise<void> {
  for (let i = 0; i < lines; i += 1) expect(await program.status('/auth/traefik')).toBe(403)
}

async function expectCleanEnd({ child, exited }: Program): Promise<void> {
  child.kill('SIGTERM')
  expect(await exited).toEqual([0, null])
}

it('a log whose reader went away does not end it', { timeout: TIMEOUT }, async () => {
  const program = await start({})
  program.child.stdout?.destroy()
  await makeItLog(program, 20)
  expect(await program.status('/healthz')).toBe(200)
  await expectCleanEnd(program)
})

it('a log on a full disk does not end it', { timeout: TIMEOUT }, async () => {
  const full = openSync('/dev/full', 'w')
  const program = await start({ stdout: full })
  closeSync(full)
  await makeItLog(program, 20)
  expect(await program.status('/healthz')).toBe(200)
  await expectCleanEnd(program)
})

it('a log whose reader stands still does not stop it', { timeout: TIMEOUT }, async () => {
  const program = await start({ settings: { LOG_LEVEL: 'debug' } })
  program.child.stdout?.pause()
  // More than a pipe holds.
  await makeItLog(program, 800)
  expect(await program.status('/healthz')).toBe(200)
  await expectCleanEnd(program)
})

it('without file descriptors it waits for one, and serves again', {
  timeout: TIMEOUT,
}, async () => {
  // Loading the modules takes many at once.
  const program = await start({ shell: 'ulimit -n 400; exec "$@"' })
  const sockets: Socket[] = []
  for (let i = 0; i < 500; i += 1) {
    const socket = connect(program.port, '127.0.0.1')
    socket.on('error', () => undefined)
    sockets.push(socket)
  }
  await vi.waitFor(() => expect(sockets.filter(({ connecting }) => connecting)).toEqual([]))
  for (const socket of sockets) socket.destroy()
  await vi.waitFor(async () => expect(await program.status('/readyz')).toBe(200), 10_000)
  await expectCleanEnd(program)
})

it('ends when its terminal is closed', { timeout: TIMEOUT }, async () => {
  let said = ''
  const program = await start({
    // The pipe is the screen of the terminal.
    shell: 'exec script -qefc "echo pid=\\$\\$; exec $*" /dev/null',
    onOutput: (text) => {
      said += text
    },
  })
  const pid = Number(/pid=(\d+)/.exec(said)?.[1])
  expect(pid).toBeGreaterThan(1)
  cleanUps.push(() => isRunning(pid) && process.kill(pid, 'SIGKILL'))
  program.child.kill('SIGKILL')
  await vi.waitFor(() => expect(isRunning(pid)).toBe(false), { timeout: 20_000, interval: 100 })
})

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
