/** Scopes that are made of the tools of a server. */
import { describe, expect, it } from 'vitest'
import { scopesOfTools } from '../../src/mcp/said-tools.ts'
import { NOTE_TOOLS } from '../support/scoped-server.ts'

const toolsOf = (listed: readonly unknown[], scope: string) =>
  scopesOfTools(listed).scopes.find(({ name }) => name === scope)?.tools

describe('the tools of a server', () => {
  it('are all, those that only read, and each by itself with what it may do', () => {
    expect(scopesOfTools(NOTE_TOOLS).scopes).toEqual([
      expect.objectContaining({
        name: 'tools:all',
        tools: ['get_note', 'add_note', 'delete_note'],
      }),
      expect.objectContaining({ name: 'tools:read', tools: ['get_note'] }),
      { name: 'tool:get_note', description: 'get_note (changes nothing)', tools: ['get_note'] },
      {
        name: 'tool:add_note',
        description: 'add_note (adds, and deletes nothing)',
        tools: ['add_note'],
      },
      {
        name: 'tool:delete_note',
        description: 'delete_note (may change or delete)',
        tools: ['delete_note'],
      },
    ])
  })

  it.each([undefined, {}, { readOnlyHint: 'true' }, { readOnlyHint: 1 }, 'readOnlyHint', null])(
    'do not only read by annotations %j',
    (annotations) => expect(toolsOf([{ name: 'a', annotations }], 'tools:read')).toEqual([]),
  )

  it('only read under a name that comes twice if both do', () => {
    const reads = { name: 'a', annotations: { readOnlyHint: true } }
    for (const listed of [
      [reads, { name: 'a' }],
      [{ name: 'a' }, reads],
    ]) {
      expect(toolsOf(listed, 'tools:read')).toEqual([])
    }
    expect(toolsOf([reads, reads], 'tools:read')).toEqual(['a'])
  })

  it('cannot be chosen by themselves where no scope can have their name, or no page room for them', () => {
    const odd = scopesOfTools([{ name: 'two words' }, { name: '' }, { name: 7 }, 'x'])
    expect(odd).toMatchObject({
      scopes: [{ name: 'tools:all', tools: ['two words'] }, { name: 'tools:read' }],
      leftOut: 4,
    })
    const many = Array.from({ length: 101 }, (_, index) => ({ name: `t${index}` }))
    expect(scopesOfTools(many).scopes).toHaveLength(2)
    expect(toolsOf(many, 'tools:all')).toHaveLength(101)
  })
})
