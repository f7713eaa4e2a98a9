/**
 * Reads `.env`. A line that is no `NAME=value` sets nothing, so it is named: a setting in it would be ignored without a
 * word.
 *
 * @module
 */
import { parseEnv } from 'node:util'
import type { Report } from '../values/problem.ts'
import { meaningOf } from './names.ts'

/** A value in quotes may go on over several lines. */
const STATEMENT =
  /^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*=[ \t]*(?:(["'`])[\s\S]*?\2[^\n]*|[^\n]*)$/gm
const NAME = /^[A-Za-z_][\w.-]*$/
/** The names in front of a value, for lines such as `NAME: value` and `set NAME=value`. */
const NAMES = /[A-Za-z_]\w*/g
const MAX_NAMES = 2

/** The variables of the file. A problem names a line, and never repeats its text. */
export function readDotenv(text: string, report: Report): Readonly<Record<string, string>> {
  const bare = text.replace(/^\ufeff/, '')
  const others = bare.replaceAll('\r', '').replace(STATEMENT, (all) => all.replace(/[^\n]/g, ''))
  for (const [index, line] of others.split('\n').entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue
    const names = line.match(NAMES)?.slice(0, MAX_NAMES) ?? []
    const meant = names.find((name) => meaningOf(name) !== undefined)
    const what = `line ${index + 1} is not NAME=value and sets nothing.`
    if (meant === undefined) report.warning('.env', `${what} Remove it, or write # in front.`)
    else report.problem('.env', `${what} Write ${meant}=..., or # in front.`)
  }
  const variables = Object.entries(parseEnv(bare)).filter(([name]) => NAME.test(name))
  return Object.fromEntries(variables.map(([name, value = '']) => [name, value]))
}
