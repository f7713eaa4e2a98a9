/**
 * Runs the official conformance programme and reads its results.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { toolPath } from './tools.ts'

const Checks = z.array(
  z.object({
    id: z.string(),
    status: z.enum(['SUCCESS', 'FAILURE', 'WARNING', 'INFO', 'SKIPPED']),
    errorMessage: z.string().optional(),
  }),
)

export interface Check extends Readonly<z.infer<typeof Checks>[number]> {
  /** `<scenario>/<check>#<n>`: a scenario may make the same check several times. */
  readonly key: string
}

export interface ConformanceRun {
  readonly command: 'server' | 'authorization'
  /** Options besides the output folder. */
  readonly args: readonly string[]
  /** An existing folder; the results go into a new folder below it. */
  readonly folder: string
  /** The token in the `Authorization` header of every request. */
  readonly bearer?: string
  /** Called with each line that it prints. A promise that rejects fails the run. */
  onLine?(line: string): Promise<void>
}

/** The name of a folder of results: the kind of scenario, its name, the time. */
const RESULT = /^(?:authorization-)?server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/
const PRELOAD = new URL('bearer-preload.mjs', import.meta.url)

/**
 * Every check of a run, in the order of the scenarios' names.
 * @throws Error with its output if it left no result
 */
export async function runConformance(options: ConformanceRun): Promise<readonly Check[]> {
  const folder = await mkdtemp(join(options.folder, 'conformance-'))
  const output = await run(options, folder)
  const checks: Check[] = []
  for (const result of (await readdir(folder)).sort()) {
    const scenario = RESULT.exec(result)?.[1] ?? result
    const file = await readFile(join(folder, result, 'checks.json'), 'utf8')
    const found = Checks.parse(JSON.parse(file))
    const seen = new Map<string, number>()
    for (const check of found) {
      const count = (seen.get(check.id) ?? 0) + 1
      seen.set(check.id, count)
      checks.push({ ...check, key: `${scenario}/${check.id}#${count}` })
    }
  }
  if (checks.length === 0) throw new Error(`the conformance runner found nothing:\n${output}`)
  return checks
}

/** Runs it and returns its output. Accepts exit code 1, a failed check: the test judges the checks. */
async function run(options: ConformanceRun, folder: string): Promise<string> {
  const program = toolPath('conformance')
  const { PATH = '' } = process.env
  const child = spawn(program, [options.command, ...options.args, '--output-dir', folder], {
    // The folder of the runner also has the Node that it needs.
    env: {
      ...process.env,
      PATH: `${dirname(program)}${delimiter}${PATH}`,
      ...(options.bearer !== undefined && {
        NODE_OPTIONS: `--import=${PRELOAD.href}`,
        BEARER_TOKEN: options.bearer,
      }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const told: Promise<void>[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      output += `${line}\n`
      if (!options.onLine) return
      const telling = options.onLine(line)
      telling.catch(() => child.kill())
      told.push(telling)
    })
  }
  await once(child, 'close')
  await Promise.all(told)
  return output
}
