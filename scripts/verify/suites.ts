/**
 * Installs the test programmes that others wrote. They are no development dependencies: each wants versions of its own,
 * and together they would triple the size of every `npm ci`.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { access, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const AUTHLAB = 'mcp-authlab==0.2.2'
/** The suite imports names that later versions of the client no longer export. */
const MCPJAM = ['@mcpjam/sdk@1.14.0', '@modelcontextprotocol/client@2.0.0-alpha.2']
const COMPLIANCE = ['mcp-oauth-compliance@0.2.1']
/** Holds the versions. Written last, so that an installation that was interrupted is made again. */
const DONE = 'installed'

/**
 * The folder of the suites, installed if they were missing: `authlab/bin/mcp-authlab`, and `mcpjam/` and `compliance/`
 * with a `node_modules` each.
 * @throws Error that names the failed package
 */
export async function obtainSuites(folder: string): Promise<string> {
  const done = join(folder, DONE)
  const wanted = [AUTHLAB, ...MCPJAM, ...COMPLIANCE].join('\n')
  if ((await readFile(done, 'utf8').catch(() => undefined)) === wanted) return folder
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await Promise.all([
    installWheel(join(folder, 'authlab')),
    installPackages(join(folder, 'mcpjam'), MCPJAM),
    installPackages(join(folder, 'compliance'), COMPLIANCE).then(() => repair(folder)),
  ])
  await writeFile(done, wanted)
  return folder
}

async function installWheel(folder: string): Promise<void> {
  await explain(AUTHLAB, async () => {
    await run('python3', ['-m', 'venv', '--clear', folder])
    await run(join(folder, 'bin/python'), ['-m', 'pip', 'install', '--quiet', AUTHLAB])
  })
}

async function installPackages(folder: string, packages: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder]
  await explain(packages.join(' and '), () =>
    run('npm', ['install', ...options, ...packages], { maxBuffer: 16 * 1024 * 1024 }),
  )
}

/** `mcp-oauth-compliance` imports a file of the SDK in a spelling that only file systems without case find. */
async function repair(folder: string): Promise<void> {
  const sdk = join(folder, 'compliance/node_modules/@modelcontextprotocol/sdk/dist/esm/client')
  const misspelt = join(sdk, 'streamablehttp.js')
  if (!(await exists(misspelt))) await symlink('streamableHttp.js', misspelt)
}

async function explain(what: string, step: () => Promise<unknown>): Promise<void> {
  try {
    await step()
  } catch (error) {
    throw new Error(`${what} cannot be installed`, { cause: error })
  }
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )
