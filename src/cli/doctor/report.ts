/**
 * The findings of `gatewarden doctor` as text, at most 80 columns wide, or as JSON.
 *
 * @module
 */
import type { Resource } from '../../resources/resource-table.ts'
import { wrap } from '../help.ts'
import type { Finding } from './finding.ts'

const COLUMNS = 80
const LABELS = { ok: 'ok', wrong: 'WRONG', unchecked: '?' } as const
const INDENT = ' '.repeat(7)

const countOf = (findings: readonly Finding[], state: Finding['state']) =>
  findings.filter((finding) => finding.state === state).length

/** A JSON object on one line. */
export function jsonReport(findings: readonly Finding[]): string {
  const counts = { wrong: countOf(findings, 'wrong'), unchecked: countOf(findings, 'unchecked') }
  return `${JSON.stringify({ ...counts, findings })}\n`
}

/** A heading for the gateway and for each server, its findings below, and a line that counts. */
export function textReport(
  findings: readonly Finding[],
  { issuer, servers }: { readonly issuer: string; readonly servers: readonly Resource[] },
): string {
  const about = [
    { id: undefined, heading: `Gatewarden at ${issuer}` },
    ...servers.map(({ id, url }) => ({ id, heading: `${id} at ${url}` })),
  ]
  const parts = about.flatMap(({ id, heading }) => {
    const own = findings.filter(({ server }) => server === id)
    return own.length === 0 ? [] : [heading, ...own.flatMap(linesOf), '']
  })
  const total = `${countOf(findings, 'wrong')} wrong, ${countOf(findings, 'unchecked')} not checked`
  return [...parts, total, ''].join('\n')
}

function linesOf({ state, promise, seen, means, fix }: Finding): string[] {
  const texts = [
    ...(seen === undefined ? [] : [`${seen}.`]),
    ...(means === undefined ? [] : [means]),
    ...(fix === undefined ? [] : [`Fix: ${fix}`]),
  ]
  return [
    `${LABELS[state].padEnd(INDENT.length)}${promise}`,
    ...texts.flatMap((text) =>
      wrap(text, COLUMNS - INDENT.length).map((line) => `${INDENT}${line}`),
    ),
  ]
}
