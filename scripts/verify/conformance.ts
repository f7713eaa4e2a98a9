/**
 * Installs the official test programme, `@modelcontextprotocol/conformance`. Not a development dependency: it would
 * more than double what every `npm ci` fetches, and it needs a newer Node than the one that Gatewarden supports.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Asked for by version: what npm calls the latest one has no scenarios for authorization servers. */
const RUNNER = '@modelcontextprotocol/conformance@0.2.0-alpha.12'
const NODE_VERSION = '24.9.0'

/**
 * The path of the runner under `folder`, installed if it was missing, with a Node of its own beside it where the one
 * at hand is too old. Its first line asks `env` for `node`, so run it with its own folder first on the PATH.
 * @throws Error saying what could not be had
 */
export async function obtainConformance(folder: string): Promise<string> {
  const bin = join(folder, 'node_modules', '.bin')
  const runner = join(bin, 'conformance')
  if (await works(runner, bin)) return runner
  await mkdir(folder, { recursive: true })
  // The runner imports `globSync` from `fs`, which came with Node 22.
  const node = 'globSync' in fs ? [] : [`node-${process.platform}-${process.arch}@${NODE_VERSION}`]
  const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder]
  try {
    await run('npm', ['install', ...options, RUNNER, ...node], { maxBuffer: 16 * 1024 * 1024 })
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
