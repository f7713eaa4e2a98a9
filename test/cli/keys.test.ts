import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keysList, keysRotate } from '../../src/cli/keys.ts'
import { BASE, USERS } from '../config/harness.ts'
import { run } from './harness.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatewarden-keys-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const setup = (env: Readonly<Record<string, string>> = {}) => ({
  env: { ...BASE, DATA_DIR: folder, ...env },
  yaml: USERS,
})
const rows = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => line.split(/ +/).slice(0, 2))

describe('keys list', () => {
  it('shows the key that signs, making it where there is none yet', async () => {
    const { code, stdout } = await run(keysList, setup())
    expect(code).toBe(0)
    expect(rows(stdout)).toEqual([[expect.any(String), 'signs']])
    expect((await run(keysList, setup())).stdout).toBe(stdout)
  })
})

describe('keys rotate', () => {
  it('adds a key that signs once everybody can know it', async () => {
    const [[first] = []] = rows((await run(keysList, setup())).stdout)
    const { code, stdout } = await run(keysRotate, setup())
    expect(code).toBe(0)
    const next = stdout.split(' ')[0]
    expect(rows((await run(keysList, setup())).stdout)).toEqual([
      [next, 'next'],
      [first, 'signs'],
    ])
  })

  it('leaves only the new key where the others are compromised', async () => {
    await run(keysList, setup())
    const { code, stdout } = await run(keysRotate, { ...setup(), args: ['--compromised'] })
    expect(code).toBe(0)
    expect(stdout).toContain('1 other keys are gone')
    expect(rows((await run(keysList, setup())).stdout)).toEqual([[stdout.split(' ')[0], 'signs']])
  })

  it('leaves none of the compromised keys, and one that signs, when two do it at once', async () => {
    const [[old] = []] = rows((await run(keysList, setup())).stdout)
    const rotate = () => run(keysRotate, { ...setup(), args: ['--compromised'] })
    const ran = await Promise.all([rotate(), rotate()])
    expect(ran.map(({ code }) => code)).toEqual([0, 0])
    const left = rows((await run(keysList, setup())).stdout)
    expect(left.map(([kid]) => kid)).not.toContain(old)
    const signing = left.find(([, state]) => state === 'signs')?.[0]
    expect(ran.map(({ stdout }) => stdout).join()).toContain(`${signing} signs from now on.`)
  })
})

describe('what an operator can mend', () => {
  it.each([
    [
      'a folder that cannot be',
      { DATA_DIR: '/dev/null/x' },
      /^DATA_DIR: \/dev\/null\/x cannot be used/,
    ],
    [
      'a folder that cannot be, with a secret from elsewhere',
      { DATA_DIR: '/dev/null/x', SECRET: 'a secret that is long enough to be one' },
      /^DATA_DIR: /,
    ],
  ])('is said on one line, with exit 2: %s', async (_what, env, line) => {
    const { code, stdout, stderr } = await run(keysList, setup(env))
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(line)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  it('is another secret than the keys were sealed under', async () => {
    await run(keysList, setup({ SECRET: 'a secret that is long enough to be one' }))
    const env = setup({ SECRET: 'another secret that is long enough' })
    const { code, stderr } = await run(keysList, env)
    expect(code).toBe(2)
    expect(stderr).toMatch(
      /^SECRET: .* was sealed under another secret. Put the old one into SECRET_PREVIOUS.\n$/,
    )
  })
})
