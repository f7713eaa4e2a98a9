/**
 * Brings the lists of headers in the files for other proxies up to date (`npm run docs:headers`).
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { FILES_WITH_HEADERS, withHeaderLists } from './lib/proxy-headers.ts'

for (const path of FILES_WITH_HEADERS) {
  const file = new URL(`../${path}`, import.meta.url)
  writeFileSync(file, withHeaderLists(readFileSync(file, 'utf8')))
}
