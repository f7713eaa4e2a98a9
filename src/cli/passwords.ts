/**
 * Passwords of the built-in login: how they are hashed, which are too weak, and new ones.
 *
 * @module
 */
import { randomInt } from 'node:crypto'
import { hash } from '@node-rs/argon2'

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** The login form takes no longer password. */
const MAX_LENGTH = 1024
/** NIST SP 800-63B section 5.1.1.2. */
const MIN_LENGTH = 8

/** The PHC string of a password. */
export const hashOf = (password: string): Promise<string> => hash(password, PARAMETERS)

/** Letters and digits that people do not take for one another. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789'
const GROUPS = 4
const GROUP_LENGTH = 5

/**
 * A password of 99 random bits, in groups that a person can copy from a screen.
 * @param random a number from 0 to below its argument
 */
export function newPassword(random: (below: number) => number = randomInt): string {
  const letter = () => ALPHABET[random(ALPHABET.length)] ?? ''
  const group = () => Array.from({ length: GROUP_LENGTH }, letter).join('')
  return Array.from({ length: GROUPS }, group).join('-')
}

/** Why a password is refused, with the fix; undefined if it is good enough. */
export function passwordProblem(password: string): string | undefined {
  if (password === '') return 'The password is empty.'
  if (password.length > MAX_LENGTH) return `The password is longer than ${MAX_LENGTH} characters.`
  if (/\p{Cc}/u.test(password)) {
    return 'The password holds a line break or another character that no login form can send.'
  }
  const weakness = weaknessOf(password)
  return weakness && `${weakness} Choose another one: four random words are good.`
}

function weaknessOf(password: string): string | undefined {
  const characters = [...password]
  if (characters.length < MIN_LENGTH) {
    return `The password is shorter than ${MIN_LENGTH} characters.`
  }
  const plain = password.toLowerCase()
  if (COMMON.has(plain.replace(/[^a-z]+$/, '')) || COMMON.has(plain) || isSimple(plain)) {
    return 'The password is among the first that attackers try.'
  }
  return new Set(characters).size < 4 ? 'The password has few different characters.' : undefined
}

/** The heads of the lists that attackers try, without the digits and signs that people add at the end. */
const COMMON: ReadonlySet<string> = new Set(
  `
  abc abcd abcdef abcdefg abcdefgh access admin administrator asdfgh asdfghjkl baseball batman changeit changeme
  computer default demo dragon example flower football gatewarden guest hello iloveyou letmein login lovely master
  michael monkey mustang password passw0rd p@ssw0rd p@ssword princess qazwsx qwerty qwertyu qwertyui qwertyuiop
  qwertz qwertzui root secret shadow starwars summer sunshine superman supersecret test testtest trustno welcome
  whatever winter zaq1zaq1 1q2w3e4r 1q2w3e4r5t 1qaz2wsx q1w2e3r4 qwerty123456
  `
    .trim()
    .split(/\s+/),
)

/** A run of neighbours, such as 12345678 or 87654321, and a short text that repeats itself. */
function isSimple(password: string): boolean {
  const codes = [...password].map((letter) => letter.codePointAt(0) ?? 0)
  const steps = codes.slice(1).map((code, index) => code - (codes[index] ?? 0))
  const isRun = [1, -1].some(
    (step) => steps.filter((each) => each === step || each === -9 * step).length === steps.length,
  )
  return isRun || /^(.{1,4})\1+$/su.test(password)
}
