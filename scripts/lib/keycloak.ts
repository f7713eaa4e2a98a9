/**
 * Runs a Keycloak on loopback, from a distribution that it does not change.
 *
 * @module
 */
import { mkdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from './ports.ts'
import { type RunningProcess, startProcess } from './processes.ts'

/** The options of the build. A start with other values would build Keycloak again. */
export const KEYCLOAK_BUILD_OPTIONS: readonly string[] = [
  '--db=dev-file',
  '--cache=local',
  '--health-enabled=true',
]

/** The first start takes almost a minute on a busy machine. */
const READY_WITHIN_MS = 180_000
const STOP_WITHIN_MS = 20_000

export interface KeycloakOptions {
  /** The folder of a built distribution. */
  readonly home: string
  /** The folder for the database and all other files that Keycloak writes; created if absent. */
  readonly folder: string
  /** The temporary administrator. */
  readonly admin: { readonly name: string; readonly password: string }
}

export interface RunningKeycloak {
  /** `http://127.0.0.1:PORT`. Keycloak takes the issuer in tokens from the address of the request. */
  readonly url: string
  log(): string
  /** Stops Keycloak and starts it again at the same address with the same data. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Starts Keycloak; resolves once it answers. */
export async function startKeycloak(options: KeycloakOptions): Promise<RunningKeycloak> {
  const { home, folder } = options
  await mkdir(join(folder, 'data'), { recursive: true })
  for (const part of ['lib', 'conf', 'providers', 'themes']) {
    await rm(join(folder, part), { force: true })
    await symlink(join(home, part), join(folder, part))
  }
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
      // Without this option at the start, too, Keycloak opens sockets for a cluster on every address.
      '--cache=local',
      '--http-enabled=true',
      '--hostname-strict=false',
      '--http-host=127.0.0.1',
      `--http-port=${ports.http}`,
      `--http-management-port=${ports.management}`,
    ],
    cwd: folder,
    env: {
      // As behind a proxy in docs/providers/keycloak.md; requests without these headers stay as they were.
      KC_PROXY_HEADERS: 'xforwarded',
      KC_BOOTSTRAP_ADMIN_USERNAME: admin.name,
      KC_BOOTSTRAP_ADMIN_PASSWORD: admin.password,
      JAVA_OPTS_KC_HEAP: '-Xms64m -Xmx384m',
      // Halves the processor time of a program that runs for a few minutes.
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
