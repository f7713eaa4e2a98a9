/**
 * `npm run verify`: installs the programs that the tests need, runs every check and both tiers of tests, and ends with
 * a line of counts. A program that cannot be installed, or a check that does not run, is a named failure.
 *
 * @module
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runCheck, runTier } from './checks.ts'
import { type Result, summary, total } from './results.ts'
import { LONG, obtainTool, TOOLS, type Tool } from './tools.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The tools to leave out, each with the reason. */
function parseSkip(): ReadonlyMap<string, string> {
  const { values } = parseArgs({
    options: { skip: { type: 'string', multiple: true }, all: { type: 'boolean' } },
  })
  const names = (values.skip ?? []).flatMap((list) => list.split(',')).filter(Boolean)
  const unknown = names.filter((name) => !(TOOLS as readonly string[]).includes(name))
  if (unknown.length > 0) {
    throw new Error(`--skip: ${unknown.join(', ')} is unknown. It accepts: ${TOOLS.join(', ')}`)
  }
  return new Map([
    ...(values.all ? [] : [...LONG].map((name) => [name, 'only --all runs this'] as const)),
    ...names.map((name) => [name, 'skipped by --skip'] as const),
  ])
}

async function verify(skip: ReadonlyMap<string, string>): Promise<readonly Result[]> {
  const results: Result[] = []
  const env: Record<string, string> = { GATEWARDEN_TEST_SKIP: [...skip.keys()].join(',') }
  const obtain = async (tool: Tool) => {
    const why = skip.get(tool)
    if (why !== undefined) {
      results.push({ name: tool, passed: 0, failed: 0, skipped: 1, notes: [why] })
      return
    }
    try {
      env[`GATEWARDEN_TEST_${tool.toUpperCase().replace('-', '_')}`] = await obtainTool(tool, ROOT)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      results.push({ name: tool, passed: 0, failed: 1, skipped: 0, notes: [why] })
    }
  }
  for (const tool of TOOLS) await obtain(tool)
  for (const script of ['lint', 'typecheck', 'build']) {
    results.push(await runCheck(script, ROOT))
  }
  results.push(await runTier({ name: 'fast tests', root: ROOT, env }))
  results.push(
    await runTier({ name: 'end-to-end tests', config: 'vitest.e2e.config.ts', root: ROOT, env }),
  )
  return results
}

try {
  const results = await verify(parseSkip())
  process.stdout.write(`\n${summary(results)}\n`)
  process.exitCode = total(results).failed > 0 ? 1 : 0
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
}
