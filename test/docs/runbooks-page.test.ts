/**
 * docs/runbooks.md has an entry for each outage of docs/scaling.md, and names only events, settings and commands that
 * exist.
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import { EVENTS } from '../../src/events.ts'
import { readPage, tableRows } from '../support/documentation.ts'

const PAGE = readPage('docs/runbooks.md')
const plain = (text: string) => text.replaceAll('`', '').toLowerCase()
const headings = [...PAGE.matchAll(/^## (.+)$/gm)].map(([, heading = '']) => plain(heading))

describe('an outage has its entry', () => {
  const table = readPage('docs/scaling.md').split('\n## What happens in an outage\n')[1] ?? ''
  it.each(tableRows(table).slice(2))('%s', (outage = '') => {
    expect(headings.filter((heading) => plain(outage).startsWith(heading))).toHaveLength(1)
  })
})

it('each entry says when it is over', () => {
  const entries = PAGE.split(/^## /m).slice(1)
  expect(entries.length).toBe(headings.length)
  for (const entry of entries) expect(entry).toContain('\n**Over:** ')
})

it('each event in it exists', () => {
  const named = [...PAGE.matchAll(/`([a-z]+(?:-[a-z]+)+)`/g)].map(([, name = '']) => name)
  const known = new Set([...Object.keys(EVENTS), 'appendonly'])
  const files = named.filter((name) => !known.has(name) && !name.startsWith('redis-'))
  expect(files.filter((name) => !/^min-replicas/.test(name))).toEqual([])
})

it('each setting in it exists', () => {
  const settings = readPage('docs/configuration.md')
  const named = [...PAGE.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, name = '']) => name)
  const foreign = new Set(['NODE_EXTRA_CA_CERTS'])
  const unknown = named.filter((name) => !foreign.has(name) && !settings.includes(`\`${name}\``))
  expect(unknown).toEqual([])
})
