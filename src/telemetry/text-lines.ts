/**
 * The log for a person at a terminal: a line of the log as short text. Strangers choose some of the values, so no
 * character may move the cursor, change colours or turn the direction of writing.
 *
 * @module
 */

/** Numbers of pino, with names of one width. */
const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info ',
  40: 'warn ',
  50: 'error',
  60: 'fatal',
}
const COLOURS: Readonly<Record<number, number>> = { 40: 33, 50: 31, 60: 31 }
/** Shown elsewhere in the line, or for programs alone. */
const HIDDEN: ReadonlySet<string> = new Set(['level', 'time', 'msg', 'event', 'err'])
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu

/**
 * @param line a JSON object, as pino writes it
 * @param options `colour`: true for a terminal that shows colours
 * @returns the text with its line break; a line that is no JSON object as it is, made printable
 */
export function textLine(line: string, { colour }: { readonly colour: boolean }): string {
  const entry = parse(line)
  if (!entry) return `${printable(line.trimEnd())}\n`
  const level = typeof entry.level === 'number' ? entry.level : 30
  const paint = COLOURS[level]
  const name = LEVELS[level] ?? String(level)
  const values = Object.entries(entry)
    .filter(([key]) => !HIDDEN.has(key))
    .map(([key, value]) => `${printable(key)}=${shown(value)}`)
  const text = [
    clockTime(entry.time),
    colour && paint !== undefined ? `\u001b[${paint}m${name}\u001b[0m` : name,
    printable(String(entry.msg ?? '')),
    ...(values.length > 0 ? ['', ...values] : []),
  ].join(' ')
  return `${text}\n${stackOf(entry.err)}`
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** Hours, minutes and seconds on the clock of the person. */
function clockTime(time: unknown): string {
  const date = new Date(typeof time === 'number' || typeof time === 'string' ? time : Number.NaN)
  if (Number.isNaN(date.getTime())) return '--:--:--'
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':')
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return shown(value.map(String).join(', '))
  if (typeof value === 'object' && value !== null) return printable(JSON.stringify(value))
  const text = String(value)
  return printable(/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text))
}

/** The stack of an error on lines of its own, or its message. */
function stackOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  const text = 'stack' in error ? error.stack : 'message' in error ? error.message : undefined
  if (typeof text !== 'string') return ''
  return text
    .split('\n')
    .map((row) => `         ${printable(row)}\n`)
    .join('')
}

const printable = (text: string) =>
  text.replace(UNPRINTABLE, (character) =>
    [...character].map((one) => `\\u{${(one.codePointAt(0) ?? 0).toString(16)}}`).join(''),
  )
