/**
 * The address of an HTTP proxy, which may hold a password: no problem quotes it.
 *
 * @module
 */
import { InvalidValue } from './problem.ts'
import { urlOf } from './urls.ts'

/** @throws InvalidValue unless `value` is an http or https origin, with or without user name and password */
export function parseProxyUrl(value: string): string {
  const url = /^https?:\/\//i.test(value) ? urlOf(value) : undefined
  if (!url || /\s/.test(value)) {
    throw new InvalidValue(
      'is no address of an HTTP proxy. Write it like http://proxy.example.com:3128.',
    )
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new InvalidValue(
      'has a path, query or fragment, which a proxy has not. Leave out everything behind the port; in a user name or password write / as %2F, ? as %3F, # as %23 and @ as %40.',
    )
  }
  if (url.username === '' ? url.password !== '' : url.password === '') {
    throw new InvalidValue('has a user name or a password, but not both. Write both, or neither.')
  }
  if (!NAME.test(decoded(url.username)) || !WORD.test(decoded(url.password))) {
    throw new InvalidValue(
      'has a user name or a password that no proxy can be sent. Write both in UTF-8 without control characters, the name without a colon; in them write % as %25.',
    )
  }
  return url.href.replace(/\/$/, '')
}

/** Basic authentication has no other place to end the name than its first colon (RFC 7617 section 2). */
const NAME = /^[^:\p{Cc}]*$/u
const WORD = /^\P{Cc}*$/u

/** @returns a control character for bytes that are no UTF-8, which the driver would fail at when it starts */
function decoded(written: string): string {
  try {
    return decodeURIComponent(written)
  } catch {
    return '\0'
  }
}
