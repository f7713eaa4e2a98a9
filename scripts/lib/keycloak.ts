/**
 * Runs a Keycloak on loopback, with a realm of the caller's, out of a distribution that is only read.
 *
 * @module
 */
import { copyFile, mkdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from './ports.ts'
import { type RunningProcess, startProcess } from './processes.ts'

/** What is decided when Keycloak is built; a start with others would build it again. */
export const KEYCLOAK_BUILD_OPTIONS: readonly string[] = [
  '--db=dev-file',
  '--cache=local',
  '--health-enabled=true',
]

/** On a busy machine the first start takes most of a minute. */
const READY_WITHIN_MS = 180_000
const STOP_WITHIN_MS = 20_000

export interface KeycloakOptions {
  /** The folder of a built distribution. */
  readonly home: string
  /** For the database and what else it writes; made when absent. */
  readonly folder: string
  /** A realm in Keycloak's export format, imported at the first start, and its name. */
  readonly realm: { readonly file: string; readonly name: string }
  /** Of the temporary administrator. */
  readonly admin: { readonly name: string; readonly password: string }
}

export interface RunningKeycloak {
  /** `http://127.0.0.1:PORT`; the address it is asked at is its name in tokens, too. */
  readonly url: string
  log(): string
  /** Ends it and starts it again at the same address with the same data. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Resolves once the realm is there. */
export async function startKeycloak(options: KeycloakOptions): Promise<RunningKeycloak> {
  const { home, folder, realm } = options
  await mkdir(join(folder, 'data/import'), { recursive: true })
  for (const part of ['lib', 'conf', 'providers', 'themes']) {
    await rm(join(folder, part), { force: true })
    await symlink(join(home, part), join(folder, part))
  }
  // Keycloak insists on this name.
  await copyFile(realm.file, join(folder, `data/import/${realm.name}-realm.json`))
  const ports = { http: await freePort(), management: await freePort() }
  let running = await start(options, ports)
  return {
    url: `http://127.0.0.1:${ports.http}`,
    log: () => running.output(),
    async restart() {
      await running.stop(STOP_WITHIN_MS)
      running = await start(options, ports)
    },
    stop: () => running.stop(STOP_WITHIN_MS),
  }
}

function start(
  { home, folder, admin }: KeycloakOptions,
  ports: { readonly http: number; readonly management: number },
): Promise<RunningProcess> {
  return startProcess({
    name: 'Keycloak',
    command: join(home, 'bin/kc.sh'),
    args: [
      `-Dkc.home.dir=${folder}`,
      'start',
      '--optimized',
      '--import-realm',
      // Without it at the start, too, it opens sockets for a cluster on every address.
      '--cache=local',
      '--http-enabled=true',
      '--hostname-strict=false',
      '--http-host=127.0.0.1',
      `--http-port=${ports.http}`,
      `--http-management-port=${ports.management}`,
    ],
    cwd: folder,
    env: {
      KC_BOOTSTRAP_ADMIN_USERNAME: admin.name,
      KC_BOOTSTRAP_ADMIN_PASSWORD: admin.password,
      JAVA_OPTS_KC_HEAP: '-Xms64m -Xmx384m',
      // Half the processor time for a program that lives a few minutes.
      JAVA_OPTS_APPEND: '-XX:TieredStopAtLevel=1',
    },
    timeoutMs: READY_WITHIN_MS,
    ready: () => isReady(ports.management),
  })
}

async function isReady(managementPort: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${managementPort}/health/ready`, {
      signal: AbortSignal.timeout(2_000),
    })
    await answer.arrayBuffer()
    return answer.status === 200
  } catch {
    return false
  }
}
