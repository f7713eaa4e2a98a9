/**
 * Fetches Keycloak from Maven, and builds it once for the options that the tests use.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { access, chmod, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { KEYCLOAK_BUILD_OPTIONS } from '../lib/keycloak.ts'

const run = promisify(execFile)

const VERSION = '26.7.3'
const ARTIFACT = `org.keycloak:keycloak-quarkus-dist:${VERSION}:zip`
const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1'
const OLDEST_JAVA = 17

/**
 * The folder of the distribution, below `folder`.
 * @param install installs Debian packages
 * @throws Error that names the failed step
 */
export async function obtainKeycloak(
  folder: string,
  install: (...packages: readonly string[]) => Promise<void>,
): Promise<string> {
  const home = join(folder, 'keycloak')
  if (!(await hasJava())) {
    await install('default-jdk-headless')
    if (!(await hasJava())) throw new Error(`Java ${OLDEST_JAVA} or newer cannot be had`)
  }
  if (await isBuilt(home)) return home
  if (!(await works('mvn', '--version'))) await install('maven')

  const fresh = join(folder, 'keycloak.new')
  await rm(fresh, { recursive: true, force: true })
  await mkdir(fresh, { recursive: true })
  process.stdout.write(`Fetching and building Keycloak ${VERSION} (a minute or two) ...\n`)
  await explain(`Maven cannot fetch ${ARTIFACT}`, 'mvn', [
    '--batch-mode',
    '--quiet',
    `${PLUGIN}:copy`,
    `-Dartifact=${ARTIFACT}`,
    `-DoutputDirectory=${fresh}`,
  ])
  const archive = (await readdir(fresh)).find((name) => name.endsWith('.zip')) ?? ''
  await explain('the archive of Keycloak cannot be unpacked', 'python3', [
    ...['-m', 'zipfile', '-e', join(fresh, archive), fresh],
  ])
  const unpacked = join(fresh, `keycloak-${VERSION}`)
  await chmod(join(unpacked, 'bin/kc.sh'), 0o755)
  await explain('Keycloak cannot be built', join(unpacked, 'bin/kc.sh'), [
    'build',
    ...KEYCLOAK_BUILD_OPTIONS,
  ])
  // The last step, so that a folder of this name is always complete.
  await rm(home, { recursive: true, force: true })
  await rename(unpacked, home)
  await rm(fresh, { recursive: true, force: true })
  return home
}

async function hasJava(): Promise<boolean> {
  try {
    // Java prints its version on standard error.
    const { stderr } = await run('java', ['-version'])
    return Number(/version "(\d+)/.exec(stderr)?.[1]) >= OLDEST_JAVA
  } catch {
    return false
  }
}

async function works(command: string, ...args: readonly string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  )
}

async function isBuilt(home: string): Promise<boolean> {
  try {
    await access(join(home, 'lib/quarkus/generated-bytecode.jar'))
    return (await readFile(join(home, 'version.txt'), 'utf8')).includes(VERSION)
  } catch {
    return false
  }
}

async function explain(problem: string, command: string, args: readonly string[]): Promise<void> {
  try {
    await run(command, args, { maxBuffer: 64 * 1024 * 1024 })
  } catch (error) {
    throw new Error(problem, { cause: error })
  }
}
