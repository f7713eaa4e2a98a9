/**
 * Lists each value and the place it came from, for people to see: the list shows no secret.
 *
 * @module
 */

import { type SettingKey, settings } from '../schema.ts'
import { SECRET_LEAVES } from '../values/came-along.ts'
import type { FileContents } from './file.ts'
import type { Placed } from './precedence.ts'
import { isRecord } from './yaml.ts'

export interface Source {
  /** `PORT`, or `resources.notes.url` for a value that only the file can hold. */
  readonly setting: string
  /** The value as given; undefined if it is not set. */
  readonly value: string | undefined
  /** `flag`, `environment`, `.env`, the name of the file, `default`, or that other settings imply it. */
  readonly from: string
}

const HIDDEN = '(hidden)'

/** An entry for each setting, then an entry for each value in the file's own sections. */
export function listSources(parts: {
  given: ReadonlyMap<SettingKey, Placed>
  file: FileContents | undefined
  fileName: string
  /** What other settings make of a setting that is not given. */
  implied: ReadonlyMap<SettingKey, string>
}): readonly Source[] {
  const { given, file, fileName, implied } = parts
  const flat = settings.map(({ key, name, secret, default: fallback }): Source => {
    const entry = given.get(key)
    const meant = implied.get(key)
    if (!entry && meant !== undefined && meant !== fallback)
      return { setting: name, value: meant, from: 'implied by other settings' }
    if (!entry) return { setting: name, value: fallback, from: 'default' }
    const isOwnName = entry.label === name && !entry.file
    const from = isOwnName ? entry.from : `${entry.from}, as ${entry.written}`
    return { setting: name, value: secret ? HIDDEN : show(entry.value), from }
  })
  const sections = {
    resources: file?.resources ?? {},
    users: file?.users ?? {},
    clients: byId(file?.clients ?? []),
    static_tokens: file?.staticTokens ?? {},
  }
  const nested = [...leaves(sections, [])].map(([path, value]): Source => {
    const shown = SECRET_LEAVES.has(path.at(-1) ?? '') ? HIDDEN : show(value)
    return { setting: path.join('.'), value: shown, from: fileName }
  })
  return [...flat, ...nested]
}

function* leaves(value: unknown, path: string[]): Generator<[string[], unknown]> {
  if (!isRecord(value)) yield [path, value]
  else for (const [key, inner] of Object.entries(value)) yield* leaves(inner, [...path, key])
}

function byId(clients: readonly unknown[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    clients.map((client, index) => [isRecord(client) ? String(client.client_id) : index, client]),
  )
}

function show(value: unknown): string {
  if (isRecord(value)) {
    const pairs = Object.entries(value).map(([key, inner]) => `${key}=${String(inner)}`)
    return pairs.join(', ')
  }
  return Array.isArray(value) ? value.join(', ') : String(value)
}
