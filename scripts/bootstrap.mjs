/**
 * Prepares `npm run demo` and `npm run verify` before any dependency can be imported: a Node that is new enough,
 * `node_modules` as in the lock file, and a build of the present sources. Imports only Node's own modules.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const inRoot = (...path) => join(ROOT, ...path)

/** Ends the process with a message if Node is too old for the program. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  console.error(
    `Gatewarden needs Node 20.19 or newer; this is ${process.versions.node}.\n` +
      'Install a newer one (for example `nvm install --lts`) and run the same command again.',
  )
  process.exit(1)
}

/** Runs `npm ci` unless `node_modules` already holds every package of the lock file in its version. */
export async function ensureInstalled() {
  const wanted = requiredPackages(inRoot('package-lock.json'))
  const installed = existsSync(inRoot('node_modules/.package-lock.json'))
    ? requiredPackages(inRoot('node_modules/.package-lock.json'))
    : new Map()
  if ([...wanted].every(([path, version]) => installed.get(path) === version)) return
  await step({
    label: 'Installing packages',
    command: ['npm', 'ci', '--include=dev', '--no-audit', '--no-fund'],
    howFar() {
      const there = [...wanted.keys()].filter((path) =>
        existsSync(inRoot(path, 'package.json')),
      ).length
      return ` ${there} of ${wanted.size}`
    },
  })
}

/** Runs `npm run build` unless `dist` is newer than all of its sources. */
export async function ensureBuilt() {
  const built = existsSync(inRoot('dist/main.js')) ? statSync(inRoot('dist/main.js')).mtimeMs : 0
  const sources = ['tsconfig.json', 'package-lock.json']
  for (const entry of readdirSync(inRoot('src'), { recursive: true })) sources.push(`src/${entry}`)
  if (sources.every((path) => statSync(inRoot(path)).mtimeMs <= built)) return
  await step({ label: 'Building', command: ['npm', 'run', 'build', '--silent'] })
}

/** The packages that every platform needs: path -> version. */
function requiredPackages(lockFile) {
  const { packages } = JSON.parse(readFileSync(lockFile, 'utf8'))
  return new Map(
    Object.entries(packages)
      .filter(([path, { optional, devOptional }]) => path !== '' && !optional && !devOptional)
      .map(([path, { version }]) => [path, version]),
  )
}

/**
 * Runs a command, and prints its label, progress and duration on standard error. Prints the command's own output only
 * if the command fails, and then throws.
 */
async function step({ label, command: [command, ...args], howFar = () => '' }) {
  const started = Date.now()
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(0)} s`
  const live = process.stderr.isTTY
  const show = () => process.stderr.write(`\r\u001b[K  ${label} ...${howFar()} (${seconds()})`)
  if (!live) process.stderr.write(`  ${label} ...\n`)
  const timer = live ? setInterval(show, 250) : undefined
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => output.push(data))
  const code = await new Promise((resolve) => {
    child.on('error', () => resolve('cannot be started'))
    child.on('close', resolve)
  })
  clearInterval(timer)
  if (live) process.stderr.write('\r\u001b[K')
  if (code !== 0) {
    process.stderr.write(Buffer.concat(output))
    throw new Error(`\`${[command, ...args].join(' ')}\` failed (${code}); its output is above`)
  }
  process.stderr.write(`  ${label}: done (${seconds()})\n`)
}
