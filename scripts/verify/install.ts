/**
 * Installs packages of npm and PyPI into a folder of the checkout, at exact versions.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Holds the versions. Written last, so that an installation that was interrupted is made again. */
const DONE = 'installed'

/**
 * The folder, filled by `install` unless it was filled for the same versions before.
 * @throws Error that names the failed package
 */
export async function installOnce(
  folder: string,
  versions: readonly string[],
  install: () => readonly Promise<unknown>[],
): Promise<string> {
  const done = join(folder, DONE)
  const wanted = versions.join('\n')
  if ((await readFile(done, 'utf8').catch(() => undefined)) === wanted) return folder
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await Promise.all(install())
  await writeFile(done, wanted)
  return folder
}

/** Makes a virtual environment of Python with these packages. */
export async function installWheels(folder: string, packages: readonly string[]): Promise<void> {
  await explain(packages, async () => {
    await run('python3', ['-m', 'venv', '--clear', folder])
    await run(join(folder, 'bin/python'), ['-m', 'pip', 'install', '--quiet', ...packages])
  })
}

/** Makes a `node_modules` with these packages. */
export async function installPackages(folder: string, packages: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder]
  await explain(packages, () =>
    run('npm', ['install', ...options, ...packages], { maxBuffer: 16 * 1024 * 1024 }),
  )
}

/** @throws Error that names the packages if the step fails */
export async function explain(
  packages: readonly string[],
  step: () => Promise<unknown>,
): Promise<void> {
  try {
    await step()
  } catch (error) {
    throw new Error(`${packages.join(' and ')} cannot be installed`, { cause: error })
  }
}
