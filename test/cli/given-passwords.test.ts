/** Passwords that Gatewarden makes at the first start, for people who are named without one. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verify } from '@node-rs/argon2'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { givePasswords, type MadePassword, tellPassword } from '../../src/cli/given-passwords.ts'
import { newPassword } from '../../src/cli/passwords.ts'
import { ConfigError } from '../../src/config/values/problem.ts'

const ANN = { name: 'ann@example.com', email: 'ann@example.com', groups: [] }
const BOB = { name: 'Bob', groups: [] }

let dataDir = ''
let made: MadePassword[] = []
let reminders: string[] = []
beforeEach(() => {
  dataDir = join(mkdtempSync(join(tmpdir(), 'gatewarden-passwords-')), 'data')
  made = []
  reminders = []
})
afterEach(() => rmSync(join(dataDir, '..'), { recursive: true }))

const give = (newUsers = [ANN, BOB], withTerminal = true) =>
  givePasswords(
    { newUsers, dataDir },
    {
      tell: async (one) => {
        made.push(one)
        if (!withTerminal) await tellPassword(one, undefined)
      },
      remind: ({ name }) => reminders.push(name),
    },
  )
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)

it('each person gets one of their own, of which only the hash is kept', async () => {
  const users = await give()
  expect(users.map(({ name }) => name)).toEqual(['ann@example.com', 'Bob'])
  expect(new Set(made.map(({ password }) => password)).size).toBe(2)
  for (const [index, { password, hashFile }] of made.entries()) {
    expect(await verify(users[index]?.passwordHash ?? '', password)).toBe(true)
    expect(modeOf(hashFile)).toBe('600')
    expect(readFileSync(hashFile, 'utf8')).toBe(`${users[index]?.passwordHash}\n`)
  }
  const kept = readdirSync(join(dataDir, 'users')).map((name) =>
    readFileSync(join(dataDir, 'users', name), 'utf8'),
  )
  expect(kept).toHaveLength(2)
  for (const { password } of made) expect(kept.join()).not.toContain(password)
})

it('the next start finds them again', async () => {
  const first = await give()
  expect(await give()).toEqual(first)
  expect(made).toHaveLength(2)
})

it('a name in another case is the same person', async () => {
  const [first] = await give([BOB])
  expect(await give([{ ...BOB, name: 'bob' }])).toMatchObject([
    { passwordHash: first?.passwordHash },
  ])
})

it('is one password for all processes that start together', async () => {
  const all = await Promise.all(Array.from(Array(6), () => give([ANN])))
  expect(new Set(all.map(([user]) => user?.passwordHash)).size).toBe(1)
  expect(made).toHaveLength(1)
})

it('without a terminal it goes to a file of mode 0600, and each start reminds of the file', async () => {
  await give([ANN], false)
  const [one] = made
  const file = await tellPassword(one ?? { name: '', password: '', hashFile: '' }, undefined)
  expect(file).toMatch(/data\/users\/ann-example-com-[\w-]{8}\.password$/)
  expect(modeOf(file ?? '')).toBe('600')
  expect(readFileSync(file ?? '', 'utf8')).toBe(`${one?.password}\n`)
  expect(reminders).toEqual([])
  await give([ANN])
  expect(reminders).toEqual(['ann@example.com'])
  rmSync(file ?? '')
  await give([ANN])
  expect(reminders).toHaveLength(1)
})

it('on a terminal it is shown, and in no file', async () => {
  await give([ANN])
  const [one] = made
  let shown = ''
  const write = (text: string) => {
    shown += text
  }
  expect(one && (await tellPassword(one, { write }))).toBeUndefined()
  expect(shown).toContain(`Sign in as   ann@example.com\n  Password     ${one?.password}\n`)
  expect(readdirSync(join(dataDir, 'users'))).toHaveLength(1)
})

it('is not made anew if its file is damaged: somebody may be locked out silently', async () => {
  await give([ANN])
  writeFileSync(made[0]?.hashFile ?? '', 'half a ha')
  await expect(give([ANN])).rejects.toThrow(ConfigError)
  await expect(give([ANN])).rejects.toThrow(/\.hash holds no password hash\. Restore the file/)
})

it('a data directory that cannot be written is a problem with its fix', async () => {
  writeFileSync(dataDir, 'a file')
  await expect(give()).rejects.toThrow(/^DATA_DIR: .* cannot be used \(E\w+\)\. Name a directory/)
})

it('has 20 letters and digits that nobody mistakes for one another', () => {
  const shape = /^[a-hj-km-np-z2-9]{5}(?:-[a-hj-km-np-z2-9]{5}){3}$/
  for (let i = 0; i < 50; i++) expect(newPassword()).toMatch(shape)
  expect(newPassword(() => 0)).toBe('aaaaa-aaaaa-aaaaa-aaaaa')
})
