import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { rootSecret } from '../../src/cli/root-secret.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatewarden-secret-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

it('is made once, for its own user only, and found again', async () => {
  const dataDir = join(folder, 'data')
  const made = await rootSecret({ dataDir })
  const path = join(dataDir, 'secret')
  expect(made).toEqual({ secret: expect.stringMatching(/^[\w-]{64}$/), madeAt: path })
  expect(readFileSync(path, 'utf8')).toBe(`${made.secret}\n`)
  expect((statSync(path).mode & 0o777).toString(8)).toBe('600')
  expect(await rootSecret({ dataDir })).toEqual({ secret: made.secret })
})

it('is the same, and complete, for all processes that start together', async () => {
  for (const round of Array(15).keys()) {
    const dataDir = join(folder, `data-${round}`)
    const found = await Promise.all(Array.from(Array(12), () => rootSecret({ dataDir })))
    expect(new Set(found.map(({ secret }) => secret)).size).toBe(1)
    expect(found.filter(({ madeAt }) => madeAt !== undefined)).toHaveLength(1)
    // No unfinished file of the other calls is left.
    expect(readdirSync(dataDir)).toEqual(['secret'])
  }
})

it('is never visible before it is complete', async () => {
  for (const round of Array(10).keys()) {
    const dataDir = join(folder, `data-${round}`)
    let isMade = false
    const making = rootSecret({ dataDir }).then(() => {
      isMade = true
    })
    while (!isMade) {
      const there = existsSync(join(dataDir, 'secret'))
      if (there) expect(readFileSync(join(dataDir, 'secret'), 'utf8')).toHaveLength(65)
      await nextTurn()
    }
    await making
  }
})

it('is not made anew if its file is empty: everything sealed would be lost silently', async () => {
  const path = join(folder, 'secret')
  writeFileSync(path, '\n')
  await expect(rootSecret({ dataDir: folder })).rejects.toMatchObject({
    problems: [expect.stringContaining(`DATA_DIR: ${path} holds no secret.`)],
  })
  expect(readFileSync(path, 'utf8')).toBe('\n')
})

it('cannot be made if the folder cannot exist', async () => {
  writeFileSync(join(folder, 'file'), '')
  await expect(rootSecret({ dataDir: join(folder, 'file') })).rejects.toMatchObject({
    problems: [expect.stringContaining('cannot be used (ENOTDIR)')],
  })
})
