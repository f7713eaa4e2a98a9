/**
 * Programs that the end-to-end tests need and npm does not install; `npm run verify` installs them and passes their
 * paths. A missing program fails its tests, unless it was skipped on purpose (`--skip`).
 *
 * @module
 */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Tool =
  | 'traefik'
  | 'nginx'
  | 'chromium'
  | 'conformance'
  | 'keycloak'
  | 'redis-server'
  | 'suites'
  | 'clients'
  | 'more-clients'
  | 'older-traefik'

/** For `describe.skipIf`: true only if the person who runs the tests skips this program. */
export function isSkipped(tool: Tool): boolean {
  return (process.env.GATEWARDEN_TEST_SKIP ?? '').split(',').includes(tool)
}

/**
 * The path of the program (for Keycloak and the suites, the folder): from `GATEWARDEN_TEST_TRAEFIK` and so on, else where
 * `npm run verify` puts it, else on the PATH.
 * @throws Error that names the missing program
 */
export function toolPath(tool: Tool): string {
  const told = process.env[`GATEWARDEN_TEST_${tool.toUpperCase().replace('-', '_')}`]
  const installed = ['venv/bin', 'conformance/node_modules/.bin', '.'].map((folder) =>
    fileURLToPath(new URL(`../../../.verify/${folder}`, import.meta.url)),
  )
  // Debian puts nginx where only root's PATH looks.
  const folders = [...installed, ...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  const found = [...(told ? [told] : []), ...folders.map((folder) => join(folder, tool))].find(
    isExecutable,
  )
  if (!found) throw new Error(`${tool} is missing: \`npm run verify\` installs it`)
  return found
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
