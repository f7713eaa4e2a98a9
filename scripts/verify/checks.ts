/**
 * Runs the project's checks and its tiers of tests, and counts the results.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Result } from './results.ts'

/** The part of Vitest's JSON report that we count. */
const Report = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numPendingTests: z.int(),
  numTodoTests: z.int(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string(),
      assertionResults: z.array(z.object({ status: z.string(), fullName: z.string() })),
    }),
  ),
})

/** Runs `npm run <script>` as a check that passes or fails. */
export async function runCheck(script: string, root: string): Promise<Result> {
  process.stdout.write(`\n== ${script}\n`)
  const code = await run(['npm', 'run', '--silent', script], { root })
  const failed = code === 0 ? 0 : 1
  return {
    name: script,
    passed: 1 - failed,
    failed,
    skipped: 0,
    notes: failed ? [`npm run ${script} (exit code ${code})`] : [],
  }
}

/** Runs Vitest with `config` (the default if absent) and counts its tests. A tier without tests fails. */
export async function runTier(tier: {
  name: string
  config?: string
  root: string
  env: Readonly<Record<string, string>>
}): Promise<Result> {
  process.stdout.write(`\n== ${tier.name}\n`)
  const reportFile = join(tier.root, '.verify', `${tier.name.replaceAll(' ', '-')}.json`)
  rmSync(reportFile, { force: true })
  const code = await run(
    [
      process.execPath,
      'node_modules/vitest/vitest.mjs',
      'run',
      ...(tier.config ? ['--config', tier.config] : []),
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${reportFile}`,
    ],
    tier,
  )
  const report = readReport(reportFile)
  if (!report) {
    const notes = [`${tier.name}: Vitest wrote no report (exit code ${code})`]
    return { name: tier.name, passed: 0, failed: 1, skipped: 0, notes }
  }
  const notes = failures(report)
  if (report.numPassedTests + report.numFailedTests === 0) notes.push('no test ran')
  if (code !== 0 && notes.length === 0) {
    notes.push('Vitest failed outside any test; see its output above')
  }
  return {
    name: tier.name,
    passed: report.numPassedTests,
    failed: notes.length,
    skipped: report.numPendingTests + report.numTodoTests,
    notes,
  }
}

/** The failed tests, and the files that failed outside a test. */
function failures(report: z.infer<typeof Report>): string[] {
  return report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed')
    if (failed.length > 0) return failed.map(({ fullName }) => fullName)
    return status === 'failed' ? [`${name}: ${message.split('\n')[0]}`] : []
  })
}

function readReport(file: string): z.infer<typeof Report> | undefined {
  try {
    return Report.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return undefined
  }
}

/** Runs a command and shows its output. @returns its exit code, or the name of the signal that ended it */
async function run(
  [command = '', ...args]: readonly string[],
  { root, env }: { root: string; env?: Readonly<Record<string, string>> },
): Promise<number | string> {
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const [code, signal] = await once(child, 'exit')
  return code ?? String(signal)
}
