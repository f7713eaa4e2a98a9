/**
 * The package as a person gets it: packed, and installed for all folders of a prefix that was empty.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '../../support/documentation.ts'

const run = promisify(execFile)

export interface Installed {
  /** The folder with the commands. */
  readonly bin: string
  /** The folder of the package itself. */
  readonly folder: string
}

/**
 * Packs what was built, and installs it below `place`. `prepack` would build once more, below the feet of whatever else
 * runs that program.
 */
export async function installPacked(place: string): Promise<Installed> {
  const packed = join(place, 'packed')
  const prefix = join(place, 'global')
  mkdirSync(packed)
  const quiet = ['--silent', '--ignore-scripts', '--pack-destination', packed]
  await run('npm', ['pack', ...quiet], { cwd: ROOT })
  const [archive = ''] = readdirSync(packed)
  const offline = ['--prefer-offline', '--no-audit', '--no-fund', '--prefix', prefix]
  await run('npm', ['install', '--global', ...offline, join(packed, archive)], { cwd: packed })
  return { bin: join(prefix, 'bin'), folder: join(prefix, 'lib/node_modules/gatewarden') }
}
