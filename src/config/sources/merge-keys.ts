/**
 * Resolves YAML's merge keys: `<<: *base`, or `<<: [*a, *b]`. The file is read without them first, so that the limit on
 * aliases counts these, too.
 *
 * @module
 */
import { InvalidValue } from '../values/problem.ts'
import { isRecord } from './yaml.ts'

const MERGE = '<<'

type YamlMap = Readonly<Record<string, unknown>>

/**
 * A copy in which each map holds the keys of the maps that it merges. Its own keys win, then those of the earlier map.
 * @throws InvalidValue for a merge key with anything but maps
 */
export function withMerges(map: YamlMap): YamlMap {
  const { [MERGE]: merged, ...own } = map
  const maps: readonly unknown[] = merged === undefined ? [] : [merged].flat()
  const bases = maps.filter(isRecord)
  if (bases.length < maps.length) {
    throw new InvalidValue('has a key << with something other than maps. Write <<: *name.')
  }
  return Object.fromEntries([
    ...bases.toReversed().flatMap((base) => Object.entries(withMerges(base))),
    ...Object.entries(own).map(([key, value]) => [key, mergedBelow(value)] as const),
  ])
}

function mergedBelow(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(mergedBelow)
  return isRecord(value) ? withMerges(value) : value
}
