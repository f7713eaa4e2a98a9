/**
 * Installs MCP clients that others wrote and that this project does not depend on, each at a pinned version.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { explain, installOnce, installPackages, installWheels } from './install.ts'

const run = promisify(execFile)

const PYTHON_SDK = ['mcp==2.3.0']
const N8N = ['@n8n/client-oauth2@1.23.1']
/** Runs on the Node of the conformance programme. */
const INSPECTOR = ['@modelcontextprotocol/inspector@2.12.0']
const FASTMCP = ['fastmcp==4.1.6', 'mcp==2.3.0']

/**
 * The folder of the clients, installed if they were missing: `python/bin/python` with the SDK, and `n8n/` and
 * `inspector/` with a `node_modules` each.
 * @throws Error that names the failed package
 */
export function obtainClients(folder: string): Promise<string> {
  return installOnce(folder, [...PYTHON_SDK, ...N8N, ...INSPECTOR], () => [
    installWheels(join(folder, 'python'), PYTHON_SDK),
    installPackages(join(folder, 'n8n'), N8N),
    installPackages(join(folder, 'inspector'), INSPECTOR),
  ])
}

/** The sources of the programs in Go and Rust. `go.sum` and `Cargo.lock` pin their dependencies. */
const SOURCES = ['go/go.sum', 'go/main.go', 'rust/Cargo.lock', 'rust/src/main.rs']

/**
 * The folder of the clients that take long to install: `fastmcp/bin/python`, `go/client` and `rust/bin/client`.
 * @param programs the folder with the sources of the programs in Go and Rust
 * @throws Error that names the failed package
 */
export async function obtainMoreClients(folder: string, programs: string): Promise<string> {
  const sources = await Promise.all(SOURCES.map((name) => readFile(join(programs, name), 'utf8')))
  return installOnce(folder, [...FASTMCP, ...sources], () => [
    installWheels(join(folder, 'fastmcp'), FASTMCP),
    buildGo(join(programs, 'go'), join(folder, 'go')),
    buildRust(join(programs, 'rust'), join(folder, 'rust')),
  ])
}

/** Modules and compiler cache are below `folder`, too. */
async function buildGo(sources: string, folder: string): Promise<void> {
  const env = {
    ...process.env,
    GOMODCACHE: join(folder, 'modules'),
    GOCACHE: join(folder, 'cache'),
    GOFLAGS: '-mod=readonly -modcacherw -buildvcs=false',
  }
  await explain(['the SDK for Go'], () =>
    run('go', ['build', '-o', join(folder, 'client'), '.'], { cwd: sources, env }),
  )
}

/** The compiler writes below `folder`; the crates stay in Cargo's own cache. */
async function buildRust(sources: string, folder: string): Promise<void> {
  const options = ['--locked', '--debug', '--path', sources, '--root', folder]
  await explain(['the SDK for Rust'], () =>
    run('cargo', ['install', ...options, '--target-dir', join(folder, 'target')], {
      maxBuffer: 16 * 1024 * 1024,
    }),
  )
}
