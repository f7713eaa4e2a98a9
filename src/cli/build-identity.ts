/**
 * The version of this program, and the commit that it was built from where that can be known.
 *
 * @module
 */
import { readFileSync } from 'node:fs'

/** The folder of `package.json`. */
const ROOT = new URL('../../', import.meta.url)
const SHORT = 12

export function buildIdentity(): { readonly version: string; readonly commit?: string } {
  const commit = commitOf()
  return { version: versionOf(), ...(commit !== undefined && { commit }) }
}

function versionOf(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'))
  const isKnown = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return isKnown ? String(manifest.version) : 'unknown'
}

/** From the file `commit`, which an image has, else from the repository of a clone. */
function commitOf(): string | undefined {
  const head = read('commit') ?? read('.git/HEAD')
  const branch = /^ref: (refs\/[\w./-]+)$/.exec(head ?? '')?.[1]
  const commit = branch === undefined ? head : read(`.git/${branch}`)
  return /^[0-9a-f]{7,64}$/.test(commit ?? '') ? commit?.slice(0, SHORT) : undefined
}

function read(path: string): string | undefined {
  try {
    return readFileSync(new URL(path, ROOT), 'utf8').trim()
  } catch {
    return undefined
  }
}
