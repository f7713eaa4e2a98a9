/** Case fh18: the help of each command, at most 80 columns wide. */
import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../src/cli/commands.ts'
import { commandHelp, helpText } from '../../src/cli/help.ts'

const tooWide = (text: string) => text.split('\n').filter((line) => line.length > 80)

describe('the help', () => {
  it('of the program fits a terminal of 80 columns, and on one screen', () => {
    const text = helpText(COMMANDS)
    expect(tooWide(text)).toEqual([])
    expect(text.split('\n').length).toBeLessThan(30)
  })

  it.each(COMMANDS.map((row) => [row.words, row] as const))(
    'of %s is its own, and fits a terminal of 80 columns',
    (words, row) => {
      const text = commandHelp(row)
      expect(text.startsWith(`gatewarden ${words}`)).toBe(true)
      expect(tooWide(text)).toEqual([])
      const others = COMMANDS.filter((other) => other !== row).map(commandHelp)
      expect(others).not.toContain(text)
    },
  )
})
