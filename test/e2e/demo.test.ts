/**
 * `npm run demo` as people run it: as a child process, used by a client, ended by Ctrl-C, run again.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { freePort, portProblem } from '../../scripts/lib/ports.ts'
import { createBrowser } from './support/browser.ts'
import { exchange } from './support/http-exchange.ts'
import { connectSdk1, type Sdk1Memory } from './support/mcp-clients.ts'
import { collectOutput } from './support/process-output.ts'
import { isSkipped, toolPath } from './support/tools.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const Ready = z.strictObject({
  mcp_url: z.url(),
  issuer: z.url(),
  user: z.string(),
  password: z.string(),
  pid: z.int(),
})

let folder: string
let ends: (() => unknown)[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'demo-'))
})
afterEach(() => {
  for (const end of ends) end()
  ends = []
  rmSync(folder, { recursive: true, force: true })
})

/** Runs `npm run -s demo` in a process group of its own, as a terminal does, with its data in `folder`. */
function runDemo(...args: string[]) {
  const path = isSkipped('traefik') ? [] : [dirname(toolPath('traefik'))]
  const child = spawn('npm', ['run', '-s', 'demo', '--', '--folder', folder, ...args], {
    cwd: ROOT,
    detached: true,
    env: { ...process.env, PATH: [...path, process.env.PATH].join(delimiter), NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { out, err: told } = collectOutput(child)
  const closed = once(child, 'close')
  const group = -(child.pid ?? 0)
  ends.push(() => isAlive(group) && process.kill(group, 'SIGKILL'))
  return {
    /** Of npm. */
    pid: child.pid ?? 0,
    out,
    told,
    /** Resolves to the exit code when the demo has ended; to null if npm ended itself by the signal it got. */
    exitCode: async () => {
      await closed
      return child.exitCode
    },
    /** Everything on standard output, once it has a complete line. */
    async ready() {
      await vi.waitUntil(
        () => {
          if (child.exitCode !== null) throw new Error(`the demo ended: ${told()}`)
          return out().includes('\n')
        },
        { timeout: 60_000 },
      )
      return Ready.parse(JSON.parse(out()))
    },
    /** Signals every process in the foreground, as a terminal does. */
    pressCtrlC: () => process.kill(group, 'SIGINT'),
    /** Signals only the process that was started, as a supervisor does. */
    terminateNpm: () => child.kill('SIGTERM'),
  }
}

describe.each(['builtin', 'traefik'] as const)('the demo with --proxy %s', (proxy) => {
  it.skipIf(proxy === 'traefik' && isSkipped('traefik'))(
    'is used by a client, ends at Ctrl-C and finds its grants again, and shows a person where the server is and how to sign in',
    async () => {
      const port = await freePort()
      const first = runDemo('--json', '--proxy', proxy, '--port', String(port))
      const ready = await first.ready()
      expect(ready).toMatchObject({
        mcp_url: `http://localhost:${port}/mcp`,
        issuer: `http://localhost:${port}`,
        user: 'demo@example.com',
        password: expect.stringMatching(/^\w+-\w+-\w+$/),
      })
      const parts = descendants(ready.pid)
      expect(parts.length).toBeGreaterThanOrEqual(proxy === 'traefik' ? 3 : 2)

      const memory: Sdk1Memory = { signIns: 0 }
      const echo = async (message: string) => {
        const signIn = (url: URL) =>
          createBrowser().signIn(url, { name: ready.user, password: ready.password })
        const session = await connectSdk1({ url: ready.mcp_url, signIn, memory })
        expect(await session.echo(message)).toBe(`Echo: ${message}`)
        await session.close()
      }
      await echo('hello')
      process.kill(ready.pid, 'SIGINT')
      expect(await first.exitCode()).toBe(0)
      await untilGone(ready.pid, ...parts)
      expect(await portProblem(port)).toBeUndefined()
      expect(first.told()).toContain(`200 ${ready.user}`)

      const second = runDemo('--proxy', proxy)
      await vi.waitFor(() => expect(second.out()).toContain('Ctrl-C stops everything'), {
        timeout: 60_000,
      })
      expect(second.out()).toContain(
        `Sign in as   ${ready.user}\n  Password     ${ready.password}\n`,
      )
      const curl = /curl -i (\S+)/.exec(second.out())?.[1] ?? ''
      expect(curl).toBe(ready.mcp_url)
      const challenged = await exchange(new URL(curl))
      expect(challenged.status).toBe(401)
      expect(challenged.headers['www-authenticate']).toContain('resource_metadata=')
      await vi.waitFor(() => expect(second.out()).toMatch(/401 .*no token/i), { timeout: 5_000 })
      await echo('again')
      expect(memory.signIns).toBe(1)
      const running = descendants(second.pid)
      expect(running.length).toBeGreaterThan(parts.length)
      // A terminal signals every process, a supervisor the one that it started.
      if (proxy === 'traefik') second.pressCtrlC()
      else second.terminateNpm()
      expect(await second.exitCode()).toBe(0)
      await untilGone(...running)
      expect(await portProblem(port)).toBeUndefined()
    },
  )
})

it('says so when its port is busy, and how to choose another', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  ends.push(() => server.close())
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  const demo = runDemo('--json', '--proxy', 'builtin', '--port', String(port))
  expect(await demo.exitCode()).toBe(1)
  expect(demo.out()).toBe('')
  expect(demo.told()).toMatch(new RegExp(`Port ${port} is used by another program.*--port \\d+`))
})

/** Checks that none of the demo's processes outlives it. */
function untilGone(...pids: number[]): Promise<void> {
  return vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 10_000 })
}

/** Processes under `pid`, all generations. */
function descendants(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)
    .map(Number)
  return children.flatMap((child) => [child, ...descendants(child)])
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
