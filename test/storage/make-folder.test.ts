/** Folders of the data directory, on file systems that are a little off. */
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { makeFolder } from '../../src/storage/make-folder.ts'

const root = mkdtempSync(join(tmpdir(), 'gatewarden-folders-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

it('makes every folder on the way, for its owner alone, and takes one that is there', () => {
  for (let again = 0; again < 2; again += 1) makeFolder(join(root, 'a', 'b', 'c'))
  for (const path of ['a', 'a/b', 'a/b/c']) {
    expect(statSync(join(root, path)).mode & 0o777).toBe(0o700)
  }
})

it('takes a link to a folder', () => {
  symlinkSync(root, join(root, 'link'))
  makeFolder(join(root, 'link'))
  makeFolder(join(root, 'link', 'd'))
  expect(statSync(join(root, 'd')).isDirectory()).toBe(true)
})

it.each([
  ['a file', 'file', 'EEXIST'],
  ['something below a file', 'file/data', 'ENOTDIR'],
  ['a link to nothing', 'nowhere', 'EEXIST'],
])('says what is wrong with %s', (_what, name, code) => {
  writeFileSync(join(root, 'file'), '')
  rmSync(join(root, 'nowhere'), { force: true })
  symlinkSync(join(root, 'nothing'), join(root, 'nowhere'))
  expect(() => makeFolder(join(root, name))).toThrow(expect.objectContaining({ code }))
})

it.skipIf(process.platform !== 'linux').each(['/proc/gatewarden', '/proc/gatewarden/data'])(
  'ends where the system says that a folder does not exist although it does: %s',
  (path) => {
    expect(() => makeFolder(path)).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  },
)
