/**
 * Programs that the end-to-end tests run but npm does not install; `npm run verify` installs them and says where
 * they are. A missing one fails the tests that need it, unless it was left out on purpose (`--skip`).
 *
 * @module
 */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Tool = 'traefik' | 'nginx' | 'chromium' | 'conformance' | 'keycloak' | 'redis-server'

/** For `describe.skipIf`: true only when the person who runs the tests said so. */
export function isSkipped(tool: Tool): boolean {
  return (process.env.GATEWARDEN_TEST_SKIP ?? '').split(',').includes(tool)
}

/**
 * Where the program is (of Keycloak, the folder): as `GATEWARDEN_TEST_TRAEFIK` and so on says, else where
 * `npm run verify` puts it, else on the PATH.
 * @throws Error naming the missing program
 */
export function toolPath(tool: Tool): string {
  const told = process.env[`GATEWARDEN_TEST_${tool.toUpperCase().replace('-', '_')}`]
  const installed = ['venv/bin', 'conformance/node_modules/.bin', '.'].map((folder) =>
    fileURLToPath(new URL(`../../../.verify/${folder}`, import.meta.url)),
  )
  // Debian keeps nginx where only root's PATH looks.
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
