/**
 * Every MCP client that we can run, each with its whole way: it discovers, registers, signs a person in and calls `echo`.
 *
 * @module
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Credentials, createBrowser } from './browser.ts'
import { runForeignClient } from './foreign-clients.ts'
import { echoWith } from './hand-client.ts'
import { callByInspector } from './inspector.ts'
import { connectSdk1, connectSdk2 } from './mcp-clients.ts'
import { connectMcpRemote } from './mcp-remote.ts'
import { signInAsN8n } from './n8n.ts'
import { REVISIONS, type Revision } from './revision-server.ts'
import { signInStrictly } from './strict-client.ts'
import { toolPath } from './tools.ts'

const PROGRAMS = fileURLToPath(new URL('../clients', import.meta.url))
/** No program listens there: the programs get the address of the callback. */
const REDIRECT_URI = 'http://127.0.0.1:9/callback'
const HANDSHAKE = REVISIONS.filter((revision) => revision < '2026-07-28')

export interface Call {
  readonly url: string
  /** For clients that discover nothing. */
  readonly issuer: string
  readonly person: Credentials
  /** A new folder. */
  readonly folder: string
  /** The revision that the server speaks; clients find it out, apart from those that only know OAuth. */
  readonly revision: Revision
}

export interface EveryClient {
  readonly name: string
  /** The revisions that it knows. */
  readonly revisions: readonly Revision[]
  /** True for a client whose user types the address of the login. */
  readonly isToldTheLogin?: true
  /** The answers of `echo`. */
  call(options: Call): Promise<readonly string[]>
}

/** Takes a person to the callback, which hears of it. */
const delivered =
  ({ person }: Call) =>
  (url: URL) =>
    createBrowser().signIn(url, person)
/** Takes a person to the callback, and only returns its address. */
const returned =
  ({ person }: Call) =>
  (url: URL) =>
    createBrowser().signIn(url, { ...person, deliver: false })

const foreign =
  (program: (call: Call) => readonly string[], signIn: typeof delivered = returned) =>
  async (call: Call) =>
    (await runForeignClient(program(call), { signIn: signIn(call) })).echoed

export const EVERY_CLIENT: readonly EveryClient[] = [
  {
    name: 'the TypeScript SDK 1.x',
    revisions: HANDSHAKE,
    async call(call) {
      const memory = { signIns: 0 }
      const session = await connectSdk1({ url: call.url, memory, signIn: delivered(call) })
      const echoed = await session.echo('hello')
      await session.close()
      return [echoed]
    },
  },
  {
    name: 'the TypeScript SDK 2.x',
    revisions: REVISIONS,
    async call(call) {
      const session = await connectSdk2({
        url: call.url,
        memory: { signIns: 0 },
        signIn: delivered(call),
        probesRevision: true,
      })
      const echoed = await session.echo('hello')
      await session.close()
      return [echoed]
    },
  },
  {
    name: 'the Python SDK',
    revisions: REVISIONS,
    call: foreign(({ url, folder }) => [
      join(toolPath('clients'), 'python/bin/python'),
      ...[join(PROGRAMS, 'python_sdk.py'), url, REDIRECT_URI, join(folder, 'python.json')],
    ]),
  },
  {
    name: 'the Go SDK',
    revisions: REVISIONS,
    call: foreign(({ url }) => [join(toolPath('more-clients'), 'go/client'), url, REDIRECT_URI]),
  },
  {
    name: 'the Rust SDK',
    revisions: REVISIONS,
    call: foreign(({ url }) => [
      join(toolPath('more-clients'), 'rust/bin/client'),
      url,
      REDIRECT_URI,
    ]),
  },
  {
    name: 'FastMCP',
    revisions: REVISIONS,
    call: foreign(
      ({ url }) => [
        join(toolPath('more-clients'), 'fastmcp/bin/python'),
        ...[join(PROGRAMS, 'fastmcp_client.py'), url],
      ],
      delivered,
    ),
  },
  {
    name: 'mcp-remote',
    revisions: HANDSHAKE,
    async call(call) {
      const home = join(call.folder, 'mcp-remote')
      const session = await connectMcpRemote({ url: call.url, home, signIn: delivered(call) })
      const echoed = await session.echo('hello')
      await session.close()
      return [echoed]
    },
  },
  {
    name: "the Inspector's command line",
    revisions: REVISIONS,
    async call(call) {
      const { output } = await callByInspector({
        url: call.url,
        home: join(call.folder, 'inspector'),
        signIn: delivered(call),
        message: 'hello',
        args: ['--protocol-era', 'auto'],
      })
      return [/Echo: hello/.exec(output)?.[0] ?? output]
    },
  },
  {
    name: "n8n's OAuth client",
    revisions: REVISIONS,
    isToldTheLogin: true,
    async call(call) {
      const { issuer, url, revision } = call
      const token = await signInAsN8n({ issuer, method: 'none', signIn: returned(call) })
      return [await echoWith(token.accessToken, { url, revision })]
    },
  },
  {
    name: 'oauth4webapi',
    revisions: REVISIONS,
    async call(call) {
      const { url, revision } = call
      const token = await signInStrictly({ url, signIn: returned(call) })
      return [await echoWith(token, { url, revision })]
    },
  },
]
