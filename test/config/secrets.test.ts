import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { load, problemsOf } from './harness.ts'

const A = 'a-secret-that-nobody-may-ever-read'
const B = 'b-secret-that-nobody-may-ever-read'

describe('SECRET', () => {
  it('may be absent: the start makes one then', () => {
    expect(load().config).not.toHaveProperty('secret')
    expect(load().config.secretPrevious).toEqual([])
  })

  it('is read from the environment, from .env and from a file', () => {
    const files = { '/run/a': `${A}\n`, '/srv/rel': A, '/srv/.env': `SECRET=${A}\n` }
    expect(load({ env: { SECRET: A } }).config.secret).toBe(A)
    expect(load({ files }).config.secret).toBe(A)
    expect(load({ env: { SECRET_FILE: '/run/a' }, files }).config.secret).toBe(A)
    expect(load({ argv: ['--secret-file', 'rel'], files }).config.secret).toBe(A)
    expect(load({ yaml: 'secret_file: rel\n', files: { '/srv/rel': A } }).config.secret).toBe(A)
  })

  it('reads former secrets from a list, or from a file with one per line', () => {
    expect(load({ env: { SECRET_PREVIOUS: `${A},${B}` } }).config.secretPrevious).toEqual([A, B])
    const files = { '/run/old': `${A}\n${B}\n` }
    const env = { SECRET_PREVIOUS_FILE: '/run/old' }
    expect(load({ env, files }).config.secretPrevious).toEqual([A, B])
  })

  it('reads a former secret that holds a comma', () => {
    const former = `${A},and-so-on`
    expect(load({ env: { SECRET: former } }).config.secret).toBe(former)
    const files = { '/run/old': `${B}\n${former}\n` }
    const { secretPrevious } = load({ env: { SECRET_PREVIOUS_FILE: '/run/old' }, files }).config
    expect(secretPrevious).toEqual([B, A, former])
    const short = 'sixteen-letters-,and-sixteen-more-'
    expect(load({ env: { SECRET_PREVIOUS: short } }).config.secretPrevious).toEqual([short])
    expect(load({ yaml: `secret_previous: ["${short}"]\n` }).config.secretPrevious).toEqual([short])
  })

  it('refuses fewer than 32 characters without showing them', () => {
    const problems = problemsOf(() =>
      load({ env: { SECRET: 'hunter2', SECRET_PREVIOUS: 'hunter3' } }),
    )
    expect(problems).toEqual([
      'SECRET: is 7 characters long; the minimum is 32. Make one with: openssl rand -base64 32.',
      'SECRET_PREVIOUS: is 7 characters long; the minimum is 32. Make one with: openssl rand -base64 32.',
    ])
  })

  it('refuses a value beside a file', () => {
    const env = { SECRET: A, SECRET_FILE: '/run/a' }
    expect(problemsOf(() => load({ env, files: { '/run/a': A } }))).toEqual([
      'SECRET: conflicts with SECRET_FILE. Remove one of the two.',
    ])
  })

  it('refuses a file that is absent or empty', () => {
    const env = { SECRET_FILE: '/run/a' }
    expect(problemsOf(() => load({ env }))).toEqual([
      'SECRET_FILE: there is no such file. Check the path.',
    ])
    expect(problemsOf(() => load({ env, files: { '/run/a': '\n' } }))).toEqual([
      'SECRET_FILE: the file is empty. Put the secret into it.',
    ])
  })

  it('warns of a secret on the command line', () => {
    expect(load({ argv: ['--secret', A] }).warnings).toContain(
      'SECRET: everyone on this machine can see the flags of a program. Use the environment, or a file.',
    )
  })

  it('reads no file for a setting that is not a secret', () => {
    expect(load({ env: { PORT_FILE: '/run/port' } }).config.listen.port).toBe(11_000)
    expect(problemsOf(() => load({ yaml: 'port_file: x\n' }))).toHaveLength(1)
  })

  it('hides every secret in the list of sources', () => {
    const { sources } = load({ env: { SECRET: A, SECRET_PREVIOUS: B } })
    const shown = JSON.stringify(sources)
    expect(shown).not.toMatch(/nobody-may-ever-read|argon2id/)
    expect(
      sources.filter(({ value }) => value === '(hidden)').map(({ setting }) => setting),
    ).toEqual(['SECRET', 'SECRET_PREVIOUS', 'users.ann.password_hash'])
  })
})

describe('SIGNING_KEY', () => {
  const pemOf = (key: KeyObject, type: 'pkcs8' | 'spki') =>
    key.export({ type, format: 'pem' }).toString()
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = pemOf(p256.privateKey, 'pkcs8')

  it('is a private key in PEM, on several lines, in base64, or in a file', () => {
    const files = { '/run/key': pem }
    const base64 = Buffer.from(pem).toString('base64')
    for (const given of [
      { env: { SIGNING_KEY: pem } },
      { env: { SIGNING_KEY: base64 } },
      { env: { SIGNING_KEY_FILE: '/run/key' }, files },
      { env: { JWT_PRIVATE_KEY_B64: base64 } },
    ]) {
      expect(load(given).config.signingKey?.algorithm).toBe('ES256')
    }
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const traditional = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
    expect(load({ env: { SIGNING_KEY: traditional } }).config.signingKey?.algorithm).toBe('RS256')
  })

  it.each([
    ['a public key', pemOf(p256.publicKey, 'spki'), /is a public key/],
    ['a word', 'sesame', /is no private key in PEM/],
    ['half a key', pem.slice(0, 100), /is no private key in PEM/],
    [
      'another curve',
      pemOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey, 'pkcs8'),
      /of another kind than P-256 or RSA/,
    ],
    [
      'Ed25519',
      pemOf(generateKeyPairSync('ed25519').privateKey, 'pkcs8'),
      /of another kind than P-256 or RSA/,
    ],
    [
      'a small RSA key',
      pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey, 'pkcs8'),
      /less than 2048 bits/,
    ],
    [
      'a key with a password',
      p256.privateKey
        .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
        .toString(),
      /is protected by a password/,
    ],
  ])('refuses %s, and shows nothing of it', (_name, value, problem) => {
    const [line = '', ...more] = problemsOf(() => load({ env: { SIGNING_KEY: value } }))
    expect(more).toEqual([])
    expect(line).toMatch(/^SIGNING_KEY: /)
    expect(line).toMatch(problem)
    expect(line).not.toContain(value.trim().split('\n')[1] ?? value)
  })
})
