import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keysList, keysRevoke, keysRotate } from '../../src/cli/keys.ts'
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
/** The id and the state of each key of access tokens; keys of sessions come and go with them. */
const rows = (stdout: string) => rowsOf(stdout, 'ES256')
const rowsOf = (stdout: string, algorithm: string) =>
  stdout
    .trim()
    .split('\n')
    .filter((line) => line.endsWith(` ${algorithm}`))
    .map((line) => line.split(/ +/).slice(0, 2))

describe('keys list', () => {
  it('shows the key that signs, and makes it if there is none yet', async () => {
    const { code, stdout } = await run(keysList, setup())
    expect(code).toBe(0)
    for (const algorithm of ['ES256', 'RS256']) {
      expect(rowsOf(stdout, algorithm)).toEqual([[expect.any(String), 'signs']])
    }
    expect((await run(keysList, setup())).stdout).toBe(stdout)
  })
})

describe('keys rotate', () => {
  it('adds a key that signs after everybody can know it', async () => {
    const [[first] = []] = rows((await run(keysList, setup())).stdout)
    const { code, stdout } = await run(keysRotate, setup())
    expect(code).toBe(0)
    const next = stdout.split(' ')[0]
    expect(rows((await run(keysList, setup())).stdout)).toEqual([
      [next, 'next'],
      [first, 'signs'],
    ])
  })

  it('leaves only the new key if the others are compromised', async () => {
    await run(keysList, setup())
    const { code, stdout } = await run(keysRotate, { ...setup(), args: ['--compromised'] })
    expect(code).toBe(0)
    expect(stdout).toContain('Other keys removed: 1.')
    expect(rows((await run(keysList, setup())).stdout)).toEqual([[stdout.split(' ')[0], 'signs']])
  })

  it('leaves none of the compromised keys, and one that signs, if two processes rotate at once', async () => {
    const [[old] = []] = rows((await run(keysList, setup())).stdout)
    const rotate = () => run(keysRotate, { ...setup(), args: ['--compromised'] })
    const ran = await Promise.all([rotate(), rotate()])
    expect(ran.map(({ code }) => code)).toEqual([0, 0])
    const left = rows((await run(keysList, setup())).stdout)
    expect(left.map(([kid]) => kid)).not.toContain(old)
    const signing = left.find(([, state]) => state === 'signs')?.[0]
    expect(ran.map(({ stdout }) => stdout).join()).toContain(`${signing} signs from now on`)
  })
})

describe('keys revoke', () => {
  it('removes the one key that signs, and makes another, which signs at once', async () => {
    const [[first = ''] = []] = rows((await run(keysList, setup())).stdout)
    const { code, stdout } = await run(keysRevoke, { ...setup(), args: [first] })
    expect(code).toBe(0)
    const [[left = '', state] = [], ...more] = rows((await run(keysList, setup())).stdout)
    expect({ state, more }).toEqual({ state: 'signs', more: [] })
    expect(left).not.toBe(first)
    expect(stdout).toContain(`${first} is removed`)
    expect(stdout).toContain(`${left} signs from now on.`)
  })

  it('leaves the others as they are', async () => {
    const [[first] = []] = rows((await run(keysList, setup())).stdout)
    const next = (await run(keysRotate, setup())).stdout.split(' ')[0] ?? ''
    expect((await run(keysRevoke, { ...setup(), args: [next] })).code).toBe(0)
    expect(rows((await run(keysList, setup())).stdout)).toEqual([[first, 'signs']])
  })

  it.each([
    ['no key', [], /^Name the key/],
    ['a key that is not there', ['x'.repeat(43)], /^There is no key/],
  ])('says what is wrong with %s', async (_what, args, line) => {
    const { code, stderr } = await run(keysRevoke, { ...setup(), args })
    expect(code).toBe(2)
    expect(stderr).toMatch(line)
  })
})

describe('with SIGNING_KEY', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const brought = () =>
    setup({ SIGNING_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() })

  it('that key signs; keys made before verify', async () => {
    const [[first] = []] = rows((await run(keysList, setup())).stdout)
    const after = rows((await run(keysList, brought())).stdout)
    expect(after).toHaveLength(2)
    expect(after.find(([kid]) => kid === first)?.[1]).toBe('verifies')
    expect(after.map(([, state]) => state).toSorted()).toEqual(['signs', 'verifies'])
  })

  it('keys rotate says where to change it, and --compromised leaves it alone', async () => {
    await run(keysList, setup())
    expect((await run(keysRotate, brought())).stdout).toContain('SIGNING_KEY signs (ES256).')
    expect((await run(keysRotate, { ...brought(), args: ['--compromised'] })).code).toBe(0)
    expect(rows((await run(keysList, brought())).stdout)).toEqual([[expect.any(String), 'signs']])
  })

  it('keys revoke asks to change the configuration first', async () => {
    const [[kid = ''] = []] = rows((await run(keysList, brought())).stdout)
    const { code, stderr } = await run(keysRevoke, { ...brought(), args: [kid] })
    expect(code).toBe(2)
    expect(stderr).toMatch(/^SIGNING_KEY: it is the key in SIGNING_KEY\./)
  })
})

const ELSEWHERE = 'Tz4hB6nQwY1rKx8MvC3jLpS7dGfE0uAo'

describe('a problem that an operator can fix', () => {
  it.each([
    [
      'a folder that cannot exist',
      { DATA_DIR: '/dev/null/x' },
      /^DATA_DIR: \/dev\/null\/x cannot be used/,
    ],
    [
      'a folder that cannot exist, with a secret from elsewhere',
      { DATA_DIR: '/dev/null/x', SECRET: ELSEWHERE },
      /^DATA_DIR: /,
    ],
  ])('is printed on one line, with exit code 2: %s', async (_problem, env, line) => {
    const { code, stdout, stderr } = await run(keysList, setup(env))
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(line)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  it('is another secret than the keys were sealed under', async () => {
    await run(keysList, setup({ SECRET: ELSEWHERE }))
    const env = setup({ SECRET: '5gWq0ZbN8yRt3KcVx7LmEo2HsPdJfUa9' })
    const { code, stderr } = await run(keysList, env)
    expect(code).toBe(2)
    expect(stderr).toMatch(
      /^SECRET: .* was sealed under another secret. Put the old secret into SECRET_PREVIOUS.\n$/,
    )
  })
})
