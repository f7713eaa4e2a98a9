/**
 * Runs the test programmes that others wrote, and reads their results.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { freePort } from '../../../scripts/lib/ports.ts'
import { toolPath } from './tools.ts'

/** A check of any suite, with the status in the suite's own words. */
export interface SuiteCheck {
  readonly id: string
  readonly status: string
  readonly message?: string | undefined
}

export interface SuiteTarget {
  /** The URL of the MCP server. */
  readonly url: string
  /** Takes a person from this address of `/authorize` to the suite's callback. */
  signIn(url: URL): Promise<unknown>
}

const AuthlabReport = z.object({
  results: z.array(z.object({ id: z.string(), status: z.string(), message: z.string() })),
})

/**
 * `mcp-authlab`: signs in for this server and for `foreign`, another server of the same gateway, then scans this server
 * with both tokens.
 * @param folder where it keeps its tokens
 */
export async function runAuthlab({
  url,
  signIn,
  foreign,
  folder,
}: SuiteTarget & { readonly foreign: string; readonly folder: string }): Promise<
  readonly SuiteCheck[]
> {
  const program = join(toolPath('suites'), 'authlab/bin/mcp-authlab')
  const report = join(folder, 'authlab.json')
  const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, BROWSER: 'true' }
  const login = ['login', url, '--foreign-resource', foreign, '--thorough']
  await run(program, login, env, async (line) => {
    const address = authorizeAddress(line)
    if (address) await signIn(address)
  })
  await run(program, ['scan', url, '--format', 'json', '--output', report], env)
  return AuthlabReport.parse(JSON.parse(await readFile(report, 'utf8'))).results
}

/** The parts of `@mcpjam/sdk` that we use: its own types need its own dependencies. */
const Mcpjam = z.object({
  OAuthConformanceTest: z.custom<new (options: object) => { run(): Promise<unknown> }>(
    (value) => typeof value === 'function',
  ),
})
const McpjamResult = z.object({
  steps: z.array(
    z.object({
      step: z.string(),
      status: z.string(),
      error: z.object({ message: z.string() }).optional(),
    }),
  ),
  verification: z.object({ listTools: z.object({ passed: z.boolean() }) }),
})

/**
 * The OAuth suite of `@mcpjam/sdk`.
 * @param flow its `protocolVersion`, `registrationStrategy` and what these need; without `auth` a person signs in
 */
export async function runMcpjam({
  url,
  signIn,
  ...flow
}: SuiteTarget & Readonly<Record<string, unknown>>): Promise<readonly SuiteCheck[]> {
  const file = join(toolPath('suites'), 'mcpjam/node_modules/@mcpjam/sdk/dist/index.js')
  const { OAuthConformanceTest } = Mcpjam.parse(await import(pathToFileURL(file).href))
  const test = new OAuthConformanceTest({
    serverUrl: url,
    auth: { mode: 'interactive', openUrl: (address: string) => signIn(new URL(address)) },
    oauthConformanceChecks: true,
    verification: { listTools: true },
    ...flow,
  })
  const { steps, verification } = McpjamResult.parse(await test.run())
  return [
    ...steps.map(({ step, status, error }) => ({ id: step, status, message: error?.message })),
    { id: 'list_tools', status: verification.listTools.passed ? 'passed' : 'failed' },
  ]
}

const Compliance = z.object({
  MCPComplianceTester: z.custom<new (options: object) => { runAllTests(): Promise<unknown> }>(
    (value) => typeof value === 'function',
  ),
})
const ComplianceResult = z.object({
  results: z.array(
    z.object({ id: z.string(), status: z.string(), message: z.string().optional() }),
  ),
})

/** `mcp-oauth-compliance`, whole: it prints the address that it wants a person to open. */
export async function runCompliance({ url, signIn }: SuiteTarget): Promise<readonly SuiteCheck[]> {
  const folder = join(toolPath('suites'), 'compliance/node_modules/mcp-oauth-compliance')
  const file = join(folder, 'dist/compliance/compliance-tester.js')
  const { MCPComplianceTester } = Compliance.parse(await import(pathToFileURL(file).href))
  const callbackPort = await freePort()
  const tester = new MCPComplianceTester({
    serverUrl: url,
    protocolVersion: '2025-11-25',
    interactiveAuth: true,
    callbackPort,
    redirectUri: `http://localhost:${callbackPort}/callback`,
    allowHttpMcpConnection: true,
    enforceS256: true,
  })
  const { log } = console
  const told: Promise<unknown>[] = []
  console.log = (...words: unknown[]) => {
    const address = authorizeAddress(words.join(' '))
    if (address && told.length === 0) told.push(signIn(address))
  }
  try {
    const result = ComplianceResult.parse(await tester.runAllTests())
    await Promise.all(told)
    return result.results
  } finally {
    console.log = log
  }
}

/** The address of `/authorize` in what a suite prints. */
function authorizeAddress(text: string): URL | undefined {
  const found = /https?:\/\/\S+\/authorize\?[^\s"]+/.exec(text)
  return found ? new URL(found[0]) : undefined
}

/** Runs a program to its end. A line that cannot be answered ends it. */
async function run(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  onLine?: (line: string) => Promise<void>,
): Promise<void> {
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const told: Promise<void>[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (!onLine) return
      const telling = onLine(line)
      telling.catch(() => child.kill())
      told.push(telling)
    })
  }
  await once(child, 'close')
  await Promise.all(told)
}
