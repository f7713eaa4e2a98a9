/**
 * The version of this program, and the commit that it was built from where that can be known.
 *
 * @module
 */
import { readFileSync } from 'node:fs'

/** Of this program. */
const ROOT = new URL('../../', import.meta.url)
const SHORT = 12

/** @param root the folder of `package.json` */
export function buildIdentity(root: URL = ROOT): {
  readonly version: string
  readonly commit?: string
} {
  const commit = commitOf(root)
  return { version: versionOf(root), ...(commit !== undefined && { commit }) }
}

function versionOf(root: URL): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
  const isKnown = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return isKnown ? String(manifest.version) : 'unknown'
}

/** From the file `commit`, which an image has, else from the repository of a clone. */
function commitOf(root: URL): string | undefined {
  const head = read('commit', root) ?? read('.git/HEAD', root)
  const branch = /^ref: (refs\/[\w./-]+)$/.exec(head ?? '')?.[1]
  const commit = branch === undefined ? head : read(`.git/${branch}`, root)
  return /^[0-9a-f]{7,64}$/.test(commit ?? '') ? commit?.slice(0, SHORT) : undefined
}

function read(path: string, root: URL): string | undefined {
  try {
    return readFileSync(new URL(path, root), 'utf8').trim()
  } catch {
    return undefined
  }
}
