import { parseEnv } from 'node:util'
import { verify } from '@node-rs/argon2'
import { describe, expect, it } from 'vitest'
import { hashPassword } from '../../src/cli/hash-password.ts'
import { parsePasswordHash } from '../../src/config/values/password-hash.ts'
import { load } from '../config/harness.ts'
import { run } from './harness.ts'

const PASSWORD = 'plum quartz häron'

describe('hash-password', () => {
  it.each([PASSWORD, `${PASSWORD}\n`, `${PASSWORD}\r\n`])(
    'hashes standard input from a pipe, without a line break at its end',
    async (input) => {
      const { code, stdout, stderr } = await run(hashPassword, { input })
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(await verify(stdout.trim(), PASSWORD)).toBe(true)
    },
  )

  it('makes hashes that the configuration accepts, on one line', async () => {
    const { stdout } = await run(hashPassword, { input: PASSWORD })
    expect(stdout).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[^\n]+\n$/)
    expect(parsePasswordHash(stdout.trim())).toBe(stdout.trim())
  })

  it('asks twice on a terminal and echoes nothing', async () => {
    const typed = [`${PASSWORD}\r`, `${PASSWORD}\r`]
    const { code, stdout, stderr } = await run(hashPassword, { input: typed, terminal: true })
    expect(code).toBe(0)
    expect(stderr.startsWith('Password: \nOnce more: \n')).toBe(true)
    expect(stderr).not.toContain(PASSWORD)
    expect(await verify(stdout.trim(), PASSWORD)).toBe(true)
  })

  it('understands the backspace key of a terminal', async () => {
    const typed = ['plum quartn\u007fz\r', 'plum quartz\r']
    const { stdout } = await run(hashPassword, { input: typed, terminal: true })
    expect(await verify(stdout.trim(), 'plum quartz')).toBe(true)
  })

  it.each([
    [['plum quartz one\r', 'plum quartz two\r'], 'The two passwords differ. Nothing was hashed.'],
    [['\r'], 'The password is empty.'],
    [['\u0003'], 'Nothing was typed.'],
    [['plum quartz one\r', '\u0004'], 'The two passwords differ. Nothing was hashed.'],
  ])('hashes nothing for %j on a terminal', async (input, problem) => {
    const { code, stdout, stderr } = await run(hashPassword, { input, terminal: true })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(problem)
  })

  it.each([
    ['', 'The password is empty.'],
    ['\n', 'The password is empty.'],
    [
      'two\nlines\n',
      'The password holds a line break or another character that no login form can send.',
    ],
    ['x'.repeat(1025), 'The password is longer than 1024 characters.'],
  ])('refuses a password that nobody could type into the login form', async (input, problem) => {
    const { code, stdout, stderr } = await run(hashPassword, { input })
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: `${problem}\n` })
  })

  it('fh12: prints lines to paste for a person, quoted, and the hash alone for a script', async () => {
    const typed = [`${PASSWORD}\r`, `${PASSWORD}\r`]
    const { stdout, stderr } = await run(hashPassword, { input: typed, terminal: true })
    const hash = stdout.trim()
    const [file = ''] = /^users: .*$/m.exec(stderr) ?? []
    expect(load({ files: { '/srv/gatewarden.yaml': file } }).config.users).toMatchObject([
      { name: 'ann', email: 'ann@example.com', passwordHash: hash },
    ])
    const [environment = ''] = /^USERS=.*$/m.exec(stderr) ?? []
    const { USERS } = parseEnv(environment)
    const { config } = load({ env: { USERS }, files: { '/srv/gatewarden.yaml': '' } })
    expect(config.users).toMatchObject([{ name: 'ann@example.com', passwordHash: hash }])
  })

  it.each([
    'x',
    '1234567',
    '12345678',
    '87654321',
    '1234567890',
    'password',
    'Password1!',
    'gatewarden2026',
    'letmein123',
    'aaaaaaaaaaaa',
    'abcabcabcabc',
    'ababababcc',
  ])('fh23: refuses the weak password %s', async (input) => {
    const { code, stdout, stderr } = await run(hashPassword, { input })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/ Choose another one: four random words are good\.\n$/)
  })

  it.each(['correct horse battery staple', 'k7wq-m3xd', 'Tr0ub4dor&3', 'пароль-мой'])(
    'takes the password %s',
    async (input) => {
      expect((await run(hashPassword, { input })).code).toBe(0)
    },
  )

  it('takes no password on the command line, and does not repeat it', async () => {
    const { code, stdout, stderr } = await run(hashPassword, { args: ['hunter2'] })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('takes no arguments')
    expect(stderr).not.toContain('hunter2')
  })
})
