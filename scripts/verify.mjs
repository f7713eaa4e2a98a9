/**
 * `npm run verify`: installs missing packages, then runs everything.
 *
 * @module
 */
import process from 'node:process'
import { ensureInstalled, requireNode } from './bootstrap.mjs'

requireNode()
try {
  await ensureInstalled()
} catch (error) {
  console.log(`FAILED  packages: ${error.message}\n0 passed, 1 failed`)
  process.exit(1)
}
const { register } = await import('tsx/esm/api')
register()
await import('./verify/main.ts')
