/** The commit that a program was built from, from where it can be known. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { buildIdentity } from '../../src/cli/build-identity.ts'
import { readPage } from '../support/documentation.ts'

const COMMIT = '0123456789abcdef0123456789abcdef01234567'
const OTHER = 'f'.repeat(40)

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatewarden-identity-'))
  mkdirSync(join(folder, '.git/refs/heads/topic'), { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true }))

it.each<[string, Readonly<Record<string, string>>, string | undefined]>([
  ['the file of an image', { commit: `${COMMIT}\n`, '.git/HEAD': OTHER }, '0123456789ab'],
  [
    'the branch of a clone',
    { '.git/HEAD': 'ref: refs/heads/topic/x\n', '.git/refs/heads/topic/x': `${COMMIT}\n` },
    '0123456789ab',
  ],
  ['a commit that was checked out', { '.git/HEAD': COMMIT }, '0123456789ab'],
  ['nowhere', {}, undefined],
  ['a file that holds something else', { commit: 'not a commit' }, undefined],
  ['a branch outside the repository', { '.git/HEAD': 'ref: ../../commit', commit: '' }, undefined],
])('is read from %s', (_where, files, commit) => {
  const all = { 'package.json': '{"version":"1.2.3"}', ...files }
  for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text)
  expect(buildIdentity(pathToFileURL(`${folder}/`))).toEqual({
    version: '1.2.3',
    ...(commit !== undefined && { commit }),
  })
})

it('the image takes it as a build argument, into the file that is read', () => {
  const stage =
    readPage('Dockerfile')
      .split(/^FROM /m)
      .at(-1) ?? ''
  expect(stage).toMatch(/^ARG COMMIT=$\nRUN .*"\$COMMIT" >commit; fi$/m)
  expect(stage.indexOf('ARG COMMIT')).toBeLessThan(stage.indexOf('USER '))
})
