/**
 * `npm run demo`: installs and builds everything that is missing, then runs the demo itself.
 *
 * @module
 */
import process from 'node:process'
import { ensureBuilt, ensureInstalled, requireNode } from './bootstrap.mjs'

requireNode()
try {
  await ensureInstalled()
  await ensureBuilt()
} catch (error) {
  console.error(`\n${error.message}`)
  process.exit(1)
}
const { register } = await import('tsx/esm/api')
register()
await import('./demo/main.ts')
