/**
 * Installs the test programmes that others wrote. They are no development dependencies: each wants versions of its own,
 * and together they would triple the size of every `npm ci`.
 *
 * @module
 */
import { access, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { installOnce, installPackages, installWheels } from './install.ts'

const AUTHLAB = ['mcp-authlab==0.2.2']
/** The suite imports names that later versions of the client no longer export. */
const MCPJAM = ['@mcpjam/sdk@1.14.0', '@modelcontextprotocol/client@2.0.0-alpha.2']
const COMPLIANCE = ['mcp-oauth-compliance@0.2.1']

/**
 * The folder of the suites, installed if they were missing: `authlab/bin/mcp-authlab`, and `mcpjam/` and `compliance/`
 * with a `node_modules` each.
 * @throws Error that names the failed package
 */
export function obtainSuites(folder: string): Promise<string> {
  return installOnce(folder, [...AUTHLAB, ...MCPJAM, ...COMPLIANCE], () => [
    installWheels(join(folder, 'authlab'), AUTHLAB),
    installPackages(join(folder, 'mcpjam'), MCPJAM),
    installPackages(join(folder, 'compliance'), COMPLIANCE).then(() => repair(folder)),
  ])
}

/** `mcp-oauth-compliance` imports a file of the SDK in a spelling that only file systems without case find. */
async function repair(folder: string): Promise<void> {
  const sdk = join(folder, 'compliance/node_modules/@modelcontextprotocol/sdk/dist/esm/client')
  const misspelt = join(sdk, 'streamablehttp.js')
  if (!(await exists(misspelt))) await symlink('streamableHttp.js', misspelt)
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )
