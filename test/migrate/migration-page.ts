/**
 * Reads the pages below docs/migrate.
 *
 * @module
 */
import { parse } from 'yaml'
import { z } from 'zod'
import { blockOf, readPage, tableRows } from '../support/documentation.ts'

/** A numbered row: what the other system did, what Gatewarden does, and why. */
export interface Row {
  readonly id: string
  readonly theirs: string
  readonly here: string
  /** The last cell: the difference, and what to do or type. */
  readonly action: string
}

export interface MigrationPage {
  readonly text: string
  /** Every numbered row of every table. */
  readonly rows: readonly Row[]
  /** Lines as `NAME=value`, of the block with this marker. */
  settingsOf(marker: string): Record<string, string>
  /** The page's compose file, before or after its change. */
  composeOf(when: 'before' | 'after'): z.infer<typeof Compose>
  /** The labels of all services in it. */
  labelsOf(when: 'before' | 'after'): readonly string[]
}

const Compose = z.object({
  services: z.record(
    z.string(),
    z.object({
      labels: z.array(z.string()),
      image: z.string().optional(),
      volumes: z.array(z.string()).default([]),
      healthcheck: z.unknown().optional(),
      environment: z.unknown().optional(),
      env_file: z.string().optional(),
    }),
  ),
  volumes: z.record(z.string(), z.unknown()).default({}),
})

/** @param system the name of the page, without `.md` */
export function migrationPage(system: string): MigrationPage {
  const text = readPage(`docs/migrate/${system}.md`)
  const composeOf = (when: 'before' | 'after') => {
    const gone = when === 'before' ? '+' : '-'
    const compose = blockOf(text, 'example: compose')
      .split('\n')
      .filter((line) => !line.startsWith(gone))
      .map((line) => line.slice(1))
      .join('\n')
    return Compose.parse(parse(compose))
  }
  return {
    text,
    rows: tableRows(text)
      .filter(([id = '']) => /^[A-Z]\d+$/.test(id))
      .map(([id = '', theirs = '', here = '', action = '']) => ({ id, theirs, here, action })),
    settingsOf(marker) {
      const lines = blockOf(text, marker).trim().split('\n')
      return Object.fromEntries(
        lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      )
    },
    composeOf,
    labelsOf(when) {
      return Object.values(composeOf(when).services).flatMap(({ labels }) => labels)
    },
  }
}

export const { text: PAGE, rows, settingsOf, labelsOf } = migrationPage('mcpauth')
