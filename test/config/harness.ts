/**
 * Loads a configuration from texts instead of a disk. `BASE` is the smallest one that starts.
 *
 * @module
 */
import { type Loaded, loadConfig } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/values/problem.ts'

/** A well-formed hash that no password matches. */
export const HASH = `$argon2id$v=19$m=19456,t=2,p=1$${'c'.repeat(22)}$${'h'.repeat(43)}`
export const USERS = `users: { ann: { email: ann@example.com, password_hash: "${HASH}" } }\n`
export const BASE = {
  PUBLIC_URL: 'https://auth.example.com',
  RESOURCES: 'https://mcp.example.com/notes/mcp',
  ALLOWED_EMAILS: 'ann@example.com',
}

/** The present; the clock of `build-app.ts` starts a little earlier. */
export const NOW = Date.UTC(2026, 10, 21, 12)

export interface Given {
  /** Added to {@link BASE}; undefined removes a setting. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly argv?: readonly string[]
  /** The text of `gatewarden.yaml` after the users. */
  readonly yaml?: string
  /** Other files by their absolute paths; the working directory is `/srv`. */
  readonly files?: Readonly<Record<string, string>>
}

export function load({ env, argv = [], yaml = '', files = {} }: Given = {}): Loaded {
  const disk: Record<string, string> = { '/srv/gatewarden.yaml': USERS + yaml, ...files }
  return loadConfig({
    argv,
    env: { ...BASE, ...env },
    cwd: '/srv',
    now: () => NOW,
    readFile: (path) => {
      const text = disk[path]
      if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
      return text
    },
  })
}

/** Like {@link load}, for a file that describes its resources: the environment holds only `PUBLIC_URL`. */
export function loadYaml(yaml: string, given: Given = {}): Loaded {
  return load({
    ...given,
    yaml,
    env: { RESOURCES: undefined, ALLOWED_EMAILS: undefined, ...given.env },
  })
}

/** The problems of a configuration; none if it loads. */
export function problemsOf(run: () => Loaded): readonly string[] {
  try {
    run()
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
