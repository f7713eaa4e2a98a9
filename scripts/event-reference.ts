/**
 * Brings the list of events in docs/logs.md up to date (`npm run docs:events`).
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { withEventReference } from './lib/event-reference.ts'

const file = new URL('../docs/logs.md', import.meta.url)
writeFileSync(file, withEventReference(readFileSync(file, 'utf8')))
