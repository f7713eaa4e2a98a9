/**
 * Takes our own cookies out of a `Cookie` header, so that the protected server never sees them.
 *
 * @module
 */

/**
 * @param header the value of `Cookie`
 * @param isOurs tests a cookie's name
 * @returns the cookies for the server, or undefined if none is left
 */
export function withoutCookies(
  header: string,
  isOurs: (name: string) => boolean,
): string | undefined {
  const kept = header.split(';').filter((pair) => {
    const equals = pair.indexOf('=')
    return !isOurs((equals === -1 ? pair : pair.slice(0, equals)).trim())
  })
  const left = kept.join(';').trim()
  return left === '' ? undefined : left
}
