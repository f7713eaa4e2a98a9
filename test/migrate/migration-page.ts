/**
 * Reads docs/migrate/mcpauth.md.
 *
 * @module
 */
import { parse } from 'yaml'
import { z } from 'zod'
import { blockOf, readPage, tableRows } from '../support/documentation.ts'

export const PAGE = readPage('docs/migrate/mcpauth.md')

/** A numbered row: what mcpauth did, what Gatewarden does, and why. */
export interface Row {
  readonly id: string
  readonly theirs: string
  readonly here: string
}

/** Every numbered row of every table. */
export const rows: readonly Row[] = tableRows(PAGE)
  .filter(([id = '']) => /^[A-Z]\d+$/.test(id))
  .map(([id = '', theirs = '', here = '']) => ({ id, theirs, here }))

const Compose = z.object({
  services: z.record(z.string(), z.object({ labels: z.array(z.string()) })),
})

/** The labels of the page's compose file, before or after its change. */
export function labelsOf(when: 'before' | 'after'): readonly string[] {
  const gone = when === 'before' ? '+' : '-'
  const text = blockOf(PAGE, 'example: compose')
    .split('\n')
    .filter((line) => !line.startsWith(gone))
    .map((line) => line.slice(1))
    .join('\n')
  const { services } = Compose.parse(parse(text))
  return Object.values(services).flatMap(({ labels }) => labels)
}

/** Lines as `NAME=value`. */
export function settingsOf(marker: string): Record<string, string> {
  const lines = blockOf(PAGE, marker).trim().split('\n')
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}
