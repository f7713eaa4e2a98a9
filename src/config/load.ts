/**
 * Loads the configuration from flags, environment, `.env` and file, in this order of precedence, or reports
 * every problem in them.
 *
 * @module
 */
import { buildConfig } from './build.ts'
import type { Config } from './config.ts'
import { adviseGoogleDirectory } from './rules/newcomers.ts'
import type { SettingKey } from './schema.ts'
import { loginOfBaseDomain, withBaseDomain } from './sources/base-domain.ts'
import { createDisk, type Disk } from './sources/disk.ts'
import { readDotenv } from './sources/dotenv.ts'
import { readEnvironment } from './sources/environment.ts'
import { type FileContents, readFileSettings } from './sources/file.ts'
import { readFlags } from './sources/flags.ts'
import { createLayer } from './sources/layer.ts'
import { listSources, type Source } from './sources/listing.ts'
import { withMerges } from './sources/merge-keys.ts'
import { type ListFolder, NEAR_DOTENV, nearFile } from './sources/near-files.ts'
import { chooseSettings } from './sources/precedence.ts'
import { warnOfRetired } from './sources/retired.ts'
import { readYaml } from './sources/yaml.ts'
import { attempt, ConfigError, createReport, InvalidValue, type Report } from './values/problem.ts'

/** The sources of a configuration. The loader reads nothing else. */
export interface LoadOptions {
  /** Flags, without the names of the program and the subcommand. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** The folder of `.env` and `gatewarden.yaml`, and the base of relative paths. */
  readonly cwd: string
  /** Returns the text of a file; throws the same errors as `fs.readFileSync`. */
  readFile(path: string): string
  /** The names in a folder, for hints about a file with a nearly right name; throws if it cannot be read. */
  listFolder?(path: string): readonly string[]
  /** Milliseconds since the epoch. Default: the system's clock. */
  now?(): number
}

export interface Loaded {
  /** Deeply frozen. */
  readonly config: Config
  /** Doubts that do not stop the start, one line each: `SETTING: ...`. */
  readonly warnings: readonly string[]
  /** Each value as a person may see it, and the place it came from. */
  readonly sources: readonly Source[]
}

const DEFAULT_FILE = 'gatewarden.yaml'

/** @throws ConfigError with every problem of the configuration */
export function loadConfig(options: LoadOptions): Loaded {
  const report = createReport()
  const { chosen, file, fileName, complete, disk, noFile, login, environments } = readLayers(
    options,
    report,
  )
  const config = buildConfig({
    ...chosen,
    file: file ?? { entries: [] },
    complete,
    disk,
    report,
    ...(login !== undefined && { login }),
    now: options.now?.() ?? Date.now(),
  })
  if (report.problems.length > 0 || !config) {
    throw new ConfigError([...(noFile ? [noFile.line] : []), ...report.problems])
  }
  adviseGoogleDirectory({ provider: config.provider, environments, report })
  return {
    config: deepFreeze(config),
    warnings: [...(noFile?.near ? [noFile.line] : []), ...report.warnings],
    sources: listSources({ given: chosen.given, file, fileName, implied: impliedBy(config, file) }),
  }
}

/**
 * Reads only the address that the process listens on, for the health check. The other settings may be missing: the
 * health check is another process of the same container and may have got fewer of them.
 * @throws ConfigError if host or port have a problem
 */
export function loadListen(options: LoadOptions): Config['listen'] {
  const report = createReport()
  const { settings, broken } = readLayers(options, report).chosen
  if (broken.has('host') || broken.has('port')) throw new ConfigError(report.problems)
  return { host: settings.host, port: settings.port }
}

/** The settings that others can imply, as they are in effect. */
function impliedBy(
  { provider, resources }: Config,
  file: FileContents | undefined,
): ReadonlyMap<SettingKey, string> {
  const servers = resources.map(({ url }) => url).join(',')
  return new Map<SettingKey, string>([
    ['provider', provider.type],
    ...(file?.resources ? [] : [['resources', servers] satisfies [SettingKey, string]]),
  ])
}

function readLayers(options: LoadOptions, report: Report) {
  const disk = createDisk(options)
  const flags = readFlags(options.argv, report)
  const fileName = flags.configFile ?? DEFAULT_FILE
  const list = listerOf(options, disk)
  const found = attempt(report, fileName, () => readConfigFile(disk, flags.configFile, list))
  const yaml = found?.text
  const noFile = found?.isAbsent ? explainAbsence(options.cwd, list) : undefined
  const read = yaml === undefined ? undefined : readYaml(yaml, { name: fileName, report })
  const contents = read && attempt(report, fileName, () => withMerges(read))
  const file = contents && readFileSettings(contents, report)
  const env = attempt(report, '.env', () => ({ text: disk.find('.env') }))
  const dotenv = env && readDotenv(env.text ?? '', report)

  if (env && env.text === undefined) warnOfNearDotenv(list, report)

  const environments = [options.env, dotenv ?? {}]
  // Compose passes absent variables as empty ones.
  const filled = Object.entries(options.env).filter(([, value]) => value?.trim())
  const everywhere = { ...dotenv, ...Object.fromEntries(filled) }
  const written = [
    createLayer('flag', flags.entries, report),
    createLayer('environment', readEnvironment(options.env, report, everywhere), report),
    createLayer('.env', readEnvironment(dotenv ?? {}, report, everywhere), report),
    createLayer(fileName, file?.entries ?? [], report),
  ]
  const layers = withBaseDomain(written, {
    environments,
    hasResources: file?.resources !== undefined,
    report,
  })
  const chosen = chooseSettings({ layers, disk, report })
  warnOfRetired(
    layers.flatMap(({ retired }) => retired),
    report,
  )
  // A setting counts as missing only if every file that may hold it could be read.
  const complete = file !== undefined && dotenv !== undefined
  const login = loginOfBaseDomain(environments)
  return { chosen, file, fileName, complete, disk, noFile, login, environments }
}

/** The file that `--config` names must exist; the default file need not. */
function readConfigFile(
  disk: Disk,
  named: string | undefined,
  list: ListFolder,
): { text: string; isAbsent: boolean } {
  const text = disk.find(named ?? DEFAULT_FILE)
  if (text === undefined && named !== undefined) {
    const near = nearFile(named, list)
    throw new InvalidValue(
      `there is no such file. ${near === undefined ? 'Check --config.' : `Did you mean ${near}?`}`,
    )
  }
  return { text: text ?? '', isAbsent: text === undefined }
}

/** The line for an operator whose file was not read, and whether a file with a nearly right name is there. */
function explainAbsence(folder: string, list: ListFolder): { line: string; near: boolean } {
  const near = nearFile(DEFAULT_FILE, list)
  const line =
    near === undefined
      ? `${DEFAULT_FILE}: no file was read, because there is none in ${folder}. Write one there, name another with --config FILE, or set everything in the environment, in .env or as flags.`
      : `${DEFAULT_FILE}: no file was read, because its name in ${folder} is ${near}. Rename it to ${DEFAULT_FILE}, or add --config ${near}.`
  return { line, near: near !== undefined }
}

function warnOfNearDotenv(list: ListFolder, report: Report): void {
  const near = list('.').find((name) => NEAR_DOTENV.includes(name))
  if (near !== undefined) report.warning('.env', `was not read: it is called ${near}. Rename it.`)
}

function listerOf({ listFolder }: LoadOptions, disk: Disk): ListFolder {
  return (path) => {
    try {
      return listFolder?.(disk.absolute(path)) ?? []
    } catch {
      return []
    }
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}
