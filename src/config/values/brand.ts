/**
 * The values of the `BRAND_` settings, which end in a page: nothing that could be markup, or be fetched from elsewhere.
 *
 * @module
 */
import { InvalidValue, quote } from './problem.ts'

const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u
const IMAGE = /^data:image\/(?:png|jpeg|gif|webp|avif|svg\+xml);base64,[A-Za-z0-9+/]+={0,2}$/
/** Every page carries it, also a refusal that a proxy passes on. */
const MAX_LOGO = 32 * 1024
const MAX_NAME = 64
const MAX_HELP = 300

const words = (value: string, most: number, like: string): string => {
  if (value === '' || value.length > most || CONTROL.test(value)) {
    throw new InvalidValue(`must be one line of 1 to ${most} characters. Write it like ${like}.`)
  }
  return value
}

/** @throws InvalidValue unless `value` is one line */
export const parseBrandName = (value: string): string => words(value, MAX_NAME, 'Example Inc.')

/** @throws InvalidValue unless `value` is one line */
export const parseLoginHelp = (value: string): string =>
  words(value, MAX_HELP, '"Forgot your password? Call 1234."')

/**
 * @returns the `data:` address, or an absolute path on our own host
 * @throws InvalidValue for any other address, which would tell a third party who signs in where
 */
export function parseBrandLogo(value: string): string {
  if (value.length > MAX_LOGO) {
    throw new InvalidValue('is longer than 32 KiB. Use a smaller image, or a path on PUBLIC_URL.')
  }
  if (IMAGE.test(value) || /^\/(?!\/)[A-Za-z0-9._~/-]*$/.test(value)) return value
  throw new InvalidValue(
    `${quote(value.slice(0, 80))} is neither an image in base64 nor a path on PUBLIC_URL. Write it like data:image/png;base64,... or /logo.png.`,
  )
}

/** @throws InvalidValue unless `value` is a colour in hexadecimal digits */
export function parseBrandColor(value: string): string {
  const [, short, long] = /^#?(?:([0-9a-f]{3})|([0-9a-f]{6}))$/i.exec(value) ?? []
  const digits = long ?? short?.replace(/./g, '$&$&')
  if (digits === undefined) {
    throw new InvalidValue(`${quote(value)} is not a colour. Write it like "0b5fff", in quotes.`)
  }
  return `#${digits.toLowerCase()}`
}

/**
 * @returns a `mailto:` or https address
 * @throws InvalidValue unless `value` is an e-mail address or an https address
 */
export function parseBrandSupport(value: string): string {
  const plain = value.replace(/^mailto:/i, '')
  if (/^[A-Za-z0-9.!#$%'*+/=^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/.test(plain)) {
    return `mailto:${plain.replace(/[^A-Za-z0-9.@_+-]/g, encodeURIComponent)}`
  }
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url?.protocol === 'https:' && url.username === '' && url.password === '') return url.href
  throw new InvalidValue(
    `${quote(value)} is neither an e-mail address nor an https address. Write it like help@example.com.`,
  )
}
