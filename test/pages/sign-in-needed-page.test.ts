import { expect, it } from 'vitest'
import { signInNeededPage } from '../../src/pages/sign-in-needed-page.ts'
import { tags, visibleText } from './read-markup.ts'

it('says what is here and which address to give to an MCP client, and offers nothing else', () => {
  const page = signInNeededPage({
    resourceName: 'Team notes',
    resourceUrl: 'https://mcp.example.com/notes/mcp',
    requestId: 'req-1',
  })
  const text = visibleText(page)
  expect(text).toContain('Team notes is behind a login')
  expect(text).toContain('Address https://mcp.example.com/notes/mcp ')
  expect(text).toContain('mention request req-1')
  expect(tags(page).filter((tag) => /^<(a|form|button|input)\b/.test(tag))).toEqual([])
})
