/** Case fh18: the help of each command, at most 80 columns wide. */
import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../src/cli/commands.ts'
import { dispatch } from '../../src/cli/dispatch.ts'
import { commandHelp, helpText } from '../../src/cli/help.ts'
import { settings } from '../../src/config/schema.ts'
import { run } from './harness.ts'

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

describe('the command line', () => {
  const asked = (...args: string[]) => run((given, io) => dispatch(given, io), { args })

  it('explains itself with every command, and serve with every setting', async () => {
    const { code, stdout, stderr } = await asked('--help')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const { words } of COMMANDS) expect(stdout).toContain(`gatewarden ${words}`)
    const serve = (await asked('serve', '--help')).stdout
    for (const { key } of settings) expect(serve).toContain(`--${key.replaceAll('_', '-')}`)
    expect(serve).toContain('--upstream-url, --upstream')
    expect(serve).toContain('--users, --user')
  })

  it('explains a group of commands, and the same with help in front', async () => {
    const { code, stdout } = await asked('keys', '--help')
    expect(code).toBe(0)
    expect(stdout).toContain('gatewarden keys rotate')
    expect(stdout).not.toContain('gatewarden hash-password')
    expect(await asked('help', 'config', 'check')).toEqual(await asked('config', 'check', '-h'))
    expect(await asked('nonsense', '--help')).toMatchObject({ code: 2, stdout: '' })
  })
})
