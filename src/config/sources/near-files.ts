/**
 * Finds a configuration file whose name is nearly right, where none has the right name.
 *
 * @module
 */
import { basename, dirname, join } from 'node:path'
import { nearest } from '../values/suggest.ts'

/** Lists the names in a folder; empty if it cannot be read. */
export type ListFolder = (path: string) => readonly string[]

/** Files of ours that are not meant. */
const OTHERS = /\.(?:schema\.json|log|pid)$|~$/i
/** The name with another ending, with one more, in other letters, or hidden. */
const SAME_STEM = /^\.?gate[-_]?warden(?:[-_.]?(?:config|conf|cfg))?(?:\.[\w.-]+)?$/i

/**
 * The name of a file in the folder of `wanted` that a person may have meant, as a path like `wanted`; undefined if there
 * is none. `wanted` itself is absent.
 */
export function nearFile(wanted: string, list: ListFolder): string | undefined {
  const folder = dirname(wanted)
  const name = basename(wanted)
  const names = list(folder).filter((other) => other !== name && !OTHERS.test(other))
  const sameStem = name === 'gatewarden.yaml' ? names.filter((other) => isLike(other)) : []
  const found = nearest(name, names) ?? sameStem.toSorted()[0]
  return found === undefined ? undefined : folder === '.' ? found : join(folder, found)
}

const isLike = (name: string) =>
  SAME_STEM.test(name) && /\.(?:ya?ml|json|toml|conf|txt|example|dist|sample|bak)$/i.test(name)

/** Names under which editors and download folders keep a `.env`. */
export const NEAR_DOTENV: readonly string[] = ['.env.txt', '.env.env', 'env.txt', '.env.yaml']
