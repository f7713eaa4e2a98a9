/**
 * `header_mutations` of a resource, in the form that risedphantom/mcp-oauth2-proxy has under `headers.mutations`.
 *
 * @module
 */
import * as z from 'zod'
import { canonicalName } from '../../http/untrusted-headers.ts'
import type { HeaderMutation, HeaderSource } from '../../resources/pass-through.ts'
import type { Disk } from '../sources/disk.ts'
import { section, text, toggle } from '../values/fields.ts'
import { parsePath } from '../values/plain.ts'
import { attempt, InvalidValue, quote, type Report } from '../values/problem.ts'

const ValueFrom = section({
  requestHeader: text(parseHeaderName).optional(),
  queryParameter: text(parseParameter).optional(),
  authorizationHeader: toggle().optional(),
  file: text(parsePath).optional(),
})
const Mutation = section({
  action: text(parseAction),
  name: text(parseHeaderName).optional(),
  value: text(parseHeaderValue).optional(),
  valueFrom: ValueFrom.optional(),
})
export const Mutations = z.array(Mutation, {
  error: 'must be a list. Write each change as `- { action: remove, name: X-Header }`.',
})
export type Mutations = z.output<typeof Mutations>

/** The names that a part of the setting may have. */
export const mutationKeys = (path: readonly PropertyKey[]): readonly string[] =>
  Object.keys((path.includes('valueFrom') ? ValueFrom : Mutation).shape)

/** Headers that frame the message or belong to one hop; `Host` has a setting of its own. */
const FRAMING =
  /^(?:connection|content-length|expect|host|http2-settings|keep-alive|te|trailer|transfer-encoding|upgrade|proxy-.*)$/i

/** @throws InvalidValue unless `value` is the name of a header (RFC 9110 section 5.6.2) */
function parseHeaderName(value: string): string {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/.test(value)) {
    throw new InvalidValue(`${quote(value)} is not the name of a header. Write it like X-Tenant.`)
  }
  return value
}

function parseParameter(value: string): string {
  if (value === '') throw new InvalidValue('is empty. Write the name of a query parameter.')
  return value
}

/** @throws InvalidValue, which does not quote the value: it may be a secret */
function parseHeaderValue(value: string): string {
  if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value)) {
    throw new InvalidValue('is not the value of a header. Write printable ASCII characters.')
  }
  return value
}

function parseAction(value: string): HeaderMutation['action'] {
  if (value === 'remove' || value === 'add' || value === 'set-x-forwarded') return value
  throw new InvalidValue(`${quote(value)} is none. Write remove, add or set-x-forwarded.`)
}

interface Place {
  readonly at: string
  readonly disk: Disk
  readonly report: Report
}

/** The changes without a problem; the problems of the others go to the report. */
export function buildMutations(given: Mutations, place: Place): HeaderMutation[] {
  return given.flatMap((mutation): HeaderMutation[] => {
    const { action, name } = mutation
    if (action === 'set-x-forwarded') return [{ action }]
    if (name === undefined) {
      place.report.problem(`${place.at}.name`, `is missing. Name the header to ${action}.`)
      return []
    }
    if (FRAMING.test(canonicalName(name))) {
      const fix = /^host$/i.test(name) ? 'Set upstream_host instead.' : 'Remove the entry.'
      place.report.problem(`${place.at}.name`, `${name} belongs to the connection. ${fix}`)
      return []
    }
    if (action === 'remove') return [{ action, name }]
    const from = sourceOf(mutation, name, place)
    return from ? [{ action, name, from }] : []
  })
}

function sourceOf(
  { value, valueFrom = {} }: Mutations[number],
  name: string,
  { at, disk, report }: Place,
): HeaderSource | undefined {
  const { requestHeader, queryParameter, authorizationHeader, file } = valueFrom
  const sources = [value, requestHeader, queryParameter, authorizationHeader || undefined, file]
  if (sources.filter((source) => source !== undefined).length !== 1) {
    report.problem(
      `${at}.value`,
      `${name} needs exactly one value. Write value, or valueFrom with requestHeader, queryParameter, authorizationHeader: true or file.`,
    )
    return undefined
  }
  if (requestHeader !== undefined) return { kind: 'header', name: requestHeader }
  if (queryParameter !== undefined) return { kind: 'query', name: queryParameter }
  if (authorizationHeader) return { kind: 'bearer' }
  const fixed =
    file === undefined
      ? value
      : attempt(report, `${at}.valueFrom.file`, () =>
          parseHeaderValue(disk.readSecret(file).trim()),
        )
  return fixed === undefined ? undefined : { kind: 'value', value: fixed }
}
