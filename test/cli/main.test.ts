import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { BASE, USERS } from '../config/harness.ts'

const root = new URL('../../', import.meta.url)

interface Exit {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the real program in a folder without configuration. */
function gatewarden(...args: string[]): Promise<Exit> {
  return runIn({ folder: fileURLToPath(new URL('test/cli', root)), env: {} }, args)
}

function runIn(place: { folder: string; env: Record<string, string> }, args: string[]) {
  const program = [
    '--import',
    import.meta.resolve('tsx'),
    fileURLToPath(new URL('src/main.ts', root)),
  ]
  const options = { cwd: place.folder, env: place.env }
  return new Promise<Exit>((resolve) => {
    execFile(process.execPath, [...program, ...args], options, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}

describe('the command', () => {
  it('explains itself', async () => {
    const { code, stdout, stderr } = await gatewarden('--help')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('gatewarden hash-password')
  })

  it('prints its version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
    const { code, stdout, stderr } = await gatewarden('--version')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.replace(/ \(commit [0-9a-f]{12}\)/, '')).toBe(`${version}\n`)
  })

  it('suggests a command for a mistyped one and exits with 2', async () => {
    expect(await gatewarden('hash-pasword', 'hunter2')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'gatewarden hash-pasword: there is no such command. Did you mean hash-password?\n',
    })
    expect((await gatewarden('config', 'chek')).stderr).toContain('Did you mean config check?')
  })

  it('names the commands of a group that is typed alone', async () => {
    expect(await gatewarden('keys')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'gatewarden keys needs a word more: keys list, keys rotate, keys revoke.\n',
    })
    expect((await gatewarden('keys', 'foo')).stderr).toContain('there is no such command')
  })

  it.each([[[]], [['serve']], [['-port', '1']], [['config', 'check']]])(
    'exits with 2 and prints every problem of the configuration, without a stack trace: %j',
    async (args) => {
      const { code, stdout, stderr } = await gatewarden(...args)
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      const lines = stderr.trimEnd().split('\n')
      // sa3: which servers there are may follow from the address.
      expect(lines.map((line) => line.split(':')[0])).toEqual([
        'gatewarden.yaml',
        'PUBLIC_URL',
        'ALLOWED_EMAILS',
        'users',
      ])
    },
  )

  it('exits with 2 for a problem that only starting can find, such as a busy port', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatewarden-'))
    const other = createServer()
    try {
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
      const address = other.address()
      const port = typeof address === 'object' && address ? String(address.port) : ''
      writeFileSync(join(folder, 'gatewarden.yaml'), USERS)
      const env = { ...BASE, HOST: '127.0.0.1', PORT: port }
      const { code, stderr } = await runIn({ folder, env }, [])
      expect(stderr).toMatch(/^PORT: cannot listen on 127\.0\.0\.1:\d+ /)
      expect(code).toBe(2)
    } finally {
      other.close()
      rmSync(folder, { recursive: true })
    }
  })
})
