/**
 * Installs the official test programme, `@modelcontextprotocol/conformance`. It is not a development dependency,
 * because it would more than double the size of every `npm ci`, and needs a newer Node than Gatewarden.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The exact version: npm's `latest` has no scenarios for authorization servers. */
const RUNNER = '@modelcontextprotocol/conformance@0.2.0-alpha.12'
const NODE_VERSION = '24.9.0'

/**
 * The path of the runner under `folder`, installed if it was missing. If this Node is too old, a newer one is installed
 * beside it. The runner's first line asks `env` for `node`, so put its folder first on the PATH.
 * @throws Error that names the failed package
 */
export async function obtainConformance(folder: string): Promise<string> {
  const bin = join(folder, 'node_modules', '.bin')
  const runner = join(bin, 'conformance')
  if (await works(runner, bin)) return runner
  await mkdir(folder, { recursive: true })
  // The runner wants Node 22, and the Inspector, which borrows this one, 22.19.
  const node = isNewNode() ? [] : [`node-${process.platform}-${process.arch}@${NODE_VERSION}`]
  const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder]
  try {
    await run('npm', ['install', ...options, RUNNER, ...node], {
      maxBuffer: 16 * 1024 * 1024,
    })
  } catch (error) {
    throw new Error(`npm cannot install ${[RUNNER, ...node].join(' and ')}`, { cause: error })
  }
  if (await works(runner, bin)) return runner
  throw new Error(`${RUNNER} was installed, but it does not run`)
}

async function works(runner: string, bin: string): Promise<boolean> {
  try {
    const { stdout } = await run(runner, ['--version'], {
      env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
    })
    return RUNNER.endsWith(`@${stdout.trim()}`)
  } catch {
    return false
  }
}

function isNewNode(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 19)
}
