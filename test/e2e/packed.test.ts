/**
 * The package as a person gets it: packed, installed in an empty folder, and run there, without this repository.
 *
 * @module
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { freePort, portProblem } from '../../scripts/lib/ports.ts'
import { type SampleServer, startSampleServer } from '../../src/cli/demo/sample-server.ts'
import { createBrowser } from './support/browser.ts'
import { readForms } from './support/html-page.ts'
import { connectSdk1, connectSdk2 } from './support/mcp-clients.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

let place: string
let program: string
let folder: string
let sample: SampleServer
let children: ChildProcess[] = []

beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), 'packed-'))
  await run('npm', ['pack', '--silent', '--pack-destination', place], { cwd: ROOT })
  const [archive = ''] = readdirSync(place).filter((name) => name.endsWith('.tgz'))
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', join(place, archive)]
  await run('npm', ['--prefix', place, ...install], { cwd: place })
  program = join(place, 'node_modules/.bin/gatewarden')
  sample = await startSampleServer('0.0.0')
}, 300_000)
afterAll(async () => {
  await sample.close()
  rmSync(place, { recursive: true, force: true })
})
afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  children = []
  if (folder) rmSync(folder, { recursive: true, force: true })
})

/** Runs the installed program in an empty folder, or in the one of the last run. */
function start(args: readonly string[], { again = false, terminal = false } = {}) {
  if (!again) folder = mkdtempSync(join(tmpdir(), 'empty-'))
  const [command = program, ...rest] = terminal
    ? ['script', '-qefc', [program, ...args].join(' '), '/dev/null']
    : [program, ...args]
  const child = spawn(command, rest, {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, TERM: 'dumb', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let out = ''
  let err = ''
  child.stdout.on('data', (data) => {
    out += String(data)
  })
  child.stderr.on('data', (data) => {
    err += String(data)
  })
  const exited = once(child, 'exit')
  return {
    out: () => out,
    err: () => err,
    /** Waits until a line of the output matches. */
    async said(pattern: RegExp): Promise<RegExpExecArray> {
      return vi.waitUntil(
        () => {
          if (child.exitCode !== null) throw new Error(`the program ended: ${out}${err}`)
          return pattern.exec(out) ?? pattern.exec(err)
        },
        { timeout: 60_000, interval: 50 },
      )
    },
    async stop(): Promise<number | null> {
      child.kill('SIGINT')
      await exited
      return child.exitCode
    },
  }
}

const signInAs = (name: string, password: string) => (url: URL) =>
  createBrowser().signIn(url, { name, password })

describe('the installed package', () => {
  it('is complete: program, proxy files, documentation, licence', async () => {
    const installed = join(place, 'node_modules/gatewarden')
    for (const path of [
      'dist/main.js',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'SECURITY.md',
      'docs/configuration.md',
      'docs/images/flow.svg',
      'deploy/nginx/gatewarden/server.conf',
      'traefik/dynamic.yml',
      '.env.example',
      'gatewarden.schema.json',
    ]) {
      expect(statSync(join(installed, path)).size, path).toBeGreaterThan(0)
    }
    expect(readdirSync(installed)).not.toContain('src')
    expect((await run(program, ['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+/)
    expect((await run(program, ['--help'])).stdout).toContain('gatewarden demo')
  })

  it('has a demo with a server of its own, which finds its password and grants again', async () => {
    const port = await freePort()
    const first = start(['demo', '--json', '--port', String(port)])
    await first.said(/\}\n/)
    const ready = JSON.parse(first.out())
    expect(ready).toEqual({
      mcp_url: `http://localhost:${port}/mcp`,
      issuer: `http://localhost:${port}`,
      user: 'demo@example.com',
      password: expect.stringMatching(/^\w+-\w+-\w+$/),
      pid: expect.any(Number),
    })
    const memory = { signIns: 0 }
    const signIn = signInAs(ready.user, ready.password)
    const session = await connectSdk1({ url: ready.mcp_url, signIn, memory })
    expect(await session.listTools()).toEqual(['echo', 'whoami'])
    expect(await session.echo('hello')).toBe('Echo: hello')
    await session.close()
    expect(await first.stop()).toBe(0)
    expect(await portProblem(port)).toBeUndefined()
    expect(readFileSync(join(folder, '.demo/gatewarden.log'), 'utf8')).toContain('demo@example.com')

    const second = start(['demo'], { again: true })
    await second.said(/Ctrl-C stops everything/)
    expect(second.out()).toContain(`Password     ${ready.password}\n`)
    expect(second.out()).toContain(`claude mcp add --transport http demo ${ready.mcp_url}\n`)
    const again = await connectSdk1({ url: ready.mcp_url, signIn, memory })
    expect(await again.echo('again')).toBe('Echo: again')
    await again.close()
    expect(memory.signIns).toBe(1)
    expect(await second.stop()).toBe(0)
  })

  it('fh7, fh8: its demo ends at pages that say what runs, who is signed in, and what to paste', async () => {
    const demo = start(['demo', '--json', '--port', String(await freePort())])
    await demo.said(/\}\n/)
    const { mcp_url: url, issuer, user, password } = JSON.parse(demo.out())
    const browser = createBrowser()
    const pageAt = async (address: string) => {
      const landing = await browser.open(new URL(address))
      if (landing.kind !== 'page') throw new Error('no page')
      return landing.page
    }
    expect((await pageAt(`${issuer}/`)).body).toContain('Nobody is signed in')
    const login = await pageAt(url)
    const [form] = readForms(login.body)
    if (!form) throw new Error(login.body)
    const landing = await browser.submit({
      page: login,
      form,
      fields: { username: user, password },
    })
    const end = landing.kind === 'page' ? landing.page : undefined
    expect(end?.url.href).toBe(url)
    expect(end?.body).toContain(`you are signed in as <b><bdi>${user}</bdi></b>`)
    expect(end?.body).toContain(`claude mcp add --transport http demo ${url}`)
    expect((await pageAt(`${issuer}/`)).body).toContain(`signed in as <b><bdi>${user}</bdi></b>`)
    await vi.waitFor(() => expect(demo.err()).toContain('signed in'))
  })

  it('has a demo that a client of the newest SDK uses, too', async () => {
    const demo = start(['demo', '--json', '--port', String(await freePort())])
    await demo.said(/\}\n/)
    const { mcp_url: url, user, password } = JSON.parse(demo.out())
    const signIn = signInAs(user, password)
    const session = await connectSdk2({ url, signIn, memory: { signIns: 0 } })
    expect(await session.echo('hello')).toBe('Echo: hello')
    await session.close()
  })

  it('says how to choose another port where the one of the demo is taken', async () => {
    const port = await freePort()
    const first = start(['demo', '--json', '--port', String(port)])
    await first.said(/\}\n/)
    const second = start(['demo', '--port', String(port)])
    await vi.waitFor(() => expect(second.err()).toMatch(/gatewarden demo --port \d+\n/), {
      timeout: 30_000,
    })
    expect(second.err()).toMatch(/^PORT: cannot listen on localhost:\d+/m)
  })

  it('starts without a file: the password is in a file of its own, and only its person may pass', async () => {
    const port = await freePort()
    const args = ['--public-url', `http://localhost:${port}`, '--port', String(port)]
    const server = start([...args, '--upstream', sample.url, '--user', 'ann@example.com'])
    await server.said(/"event":"listening"/)
    const made = server
      .out()
      .split('\n')
      .find((line) => line.includes('"password-made"'))
    const { file } = JSON.parse(made ?? '{}')
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600')
    const password = readFileSync(file, 'utf8').trim()
    expect(server.out() + server.err()).not.toContain(password)
    expect(server.err()).toBe('')

    const url = `http://localhost:${port}/mcp`
    const signIn = signInAs('ann@example.com', password)
    const session = await connectSdk1({ url, signIn, memory: { signIns: 0 } })
    expect(await session.echo('hello')).toBe('Echo: hello')
    await session.close()
    const wrong = signInAs('ann@example.com', 'not-the-password')
    await expect(connectSdk1({ url, signIn: wrong, memory: { signIns: 0 } })).rejects.toThrow()
    expect(await server.stop()).toBe(0)
  })

  it('shows the password on a terminal, and in no file', async () => {
    const port = await freePort()
    const args = ['--public-url', `http://localhost:${port}`, '--port', String(port)]
    const more = ['--upstream', sample.url, '--user', 'ann@example.com']
    const server = start([...args, ...more], { terminal: true })
    const [, password = ''] = await server.said(/Password {5}([a-z0-9-]{23})/)
    await server.said(/listening/)
    const kept = readdirSync(join(folder, 'data/users'))
    expect(kept).toEqual([expect.stringMatching(/\.hash$/)])
    const signIn = signInAs('ann@example.com', password)
    const url = `http://localhost:${port}/mcp`
    const session = await connectSdk1({ url, signIn, memory: { signIns: 0 } })
    expect(await session.echo('hello')).toBe('Echo: hello')
    await session.close()
  })
})
