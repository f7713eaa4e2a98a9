/**
 * Takes each setting of the flat list from the first layer that has it, and parses it.
 *
 * @module
 */

import { type SettingKey, Settings } from '../schema.ts'
import { cameAlong } from '../values/came-along.ts'
import { toggle } from '../values/fields.ts'
import { parseWith } from '../values/issues.ts'
import { attempt, InvalidValue, quote, type Report } from '../values/problem.ts'
import { splitList } from '../values/split-list.ts'
import type { Disk } from './disk.ts'
import type { Given, Layer } from './layer.ts'

/** A setting as given, and the place it came from. */
export interface Placed extends Given {
  readonly from: string
}

export interface Chosen {
  /** The parsed settings. A setting with a problem counts as not given. */
  readonly settings: Settings
  /** The settings as given, each from the layer that won. */
  readonly given: ReadonlyMap<SettingKey, Placed>
  /** The settings with a problem of their own. */
  readonly broken: ReadonlySet<string>
}

/** @param source `layers`: the one with the highest precedence first */
export function chooseSettings(source: {
  layers: readonly Layer[]
  disk: Disk
  report: Report
}): Chosen {
  const { layers, disk, report } = source
  const given = new Map<SettingKey, Placed>()
  for (const { from, given: entries } of layers) {
    for (const [key, entry] of entries) {
      if (!given.has(key)) given.set(key, { ...entry, from })
      if (from === 'flag' && isSecret(entry)) {
        report.warning(
          entry.label,
          'everyone on this machine can see the flags of a program. Use the environment, or a file.',
        )
      }
    }
  }

  const raw = new Map<string, unknown>()
  const broken = new Set<string>()
  for (const [key, entry] of given) {
    const value = attempt(report, entry.written, () => {
      refuseCameAlong(entry)
      return readValue(entry, { disk, given })
    })
    if (value === undefined) broken.add(key)
    else raw.set(key, value)
  }
  const parsed = parseWith(Settings, Object.fromEntries(raw), {
    report,
    label: ([key]) => [...given.values()].find((e) => e.setting.key === key)?.label ?? String(key),
    keys: () => [],
    checked: true,
  })
  if ('value' in parsed) return { settings: parsed.value, given, broken }
  for (const key of parsed.broken) {
    broken.add(key)
    raw.delete(key)
  }
  return { settings: Settings.parse(Object.fromEntries(raw)), given, broken }
}

/** A person without a hash is named, and nothing more. */
const isSecret = ({ setting, file, value }: Given) =>
  setting.secret && !file && !(setting.key === 'users' && !String(value).includes(':'))

/** @throws InvalidValue for a value, or an entry of a list, with quotes or unseen characters; not for a secret's file */
function refuseCameAlong({ value, file, setting }: Placed): void {
  const secret = setting.secret === true && !file
  for (const text of [
    value,
    ...(setting.kind === 'list' && !file ? entriesOf(value) : []),
  ].flat()) {
    const problem = typeof text === 'string' ? cameAlong(text, { secret }) : undefined
    if (problem !== undefined) throw new InvalidValue(problem)
  }
}

function entriesOf(value: unknown): readonly string[] {
  if (typeof value !== 'string') return []
  try {
    return splitList(value)
  } catch (error) {
    if (error instanceof InvalidValue) return []
    throw error
  }
}

function readValue(
  entry: Placed,
  { disk, given }: { disk: Disk; given: ReadonlyMap<SettingKey, Placed> },
): unknown {
  if (entry.file) {
    if (typeof entry.value !== 'string')
      throw new InvalidValue('must be a path. Write one, in quotes.')
    return disk.readSecret(entry.value)
  }
  if (entry.label !== 'OAUTH_DOMAIN' || typeof entry.value !== 'string') return entry.value
  // mcpauth takes the host alone, and its DEV_MODE decides the scheme.
  if (entry.value.includes('/')) {
    throw new InvalidValue(
      `${quote(entry.value)} is more than a host. Write the host alone, or use PUBLIC_URL.`,
    )
  }
  const devMode = toggle().safeParse(given.get('dev_mode')?.value ?? false)
  return `${devMode.data ? 'http' : 'https'}://${entry.value.trim()}`
}
