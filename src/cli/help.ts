/**
 * The texts of `gatewarden --help`, of `--help` for a command, and of `--version`, at most 80 columns wide.
 *
 * @module
 */
import { settings } from '../config/schema.ts'
import { flagOf } from '../config/sources/names.ts'
import { buildIdentity } from './build-identity.ts'
import type { Command, CommandRow } from './io.ts'

const COLUMNS = 80

const START = `To protect one server on this machine, without a file:

  gatewarden --public-url http://localhost:11000 \\
    --upstream http://localhost:3000/mcp --user ann@example.com
`

/** The help of the whole program: every command, how to start, and where the rest is. */
export function helpText(commands: readonly CommandRow[]): string {
  return [
    'Gatewarden, the login in front of any MCP server\n',
    table(commands.map(({ words, summary }) => [`gatewarden ${words}`, summary])),
    START,
    paragraph(
      'gatewarden COMMAND --help tells more about a command; gatewarden serve --help lists every setting.',
    ),
  ].join('\n')
}

/** The help of one command. */
export function commandHelp({
  words,
  usage,
  summary,
  details,
  settings: takes,
}: CommandRow): string {
  const parts = [
    `gatewarden ${words}${usage === undefined ? '' : ` ${usage}`}\n`,
    paragraph(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`),
    ...(details ?? []).map(paragraph),
  ]
  if (takes === 'all') parts.push(table([...CONFIG_ROWS, ...settings.map(flagRow)]))
  if (takes === 'same') parts.push(paragraph(SAME_SETTINGS))
  return parts.join('\n')
}

const CONFIG_ROWS: readonly Row[] = [['--config FILE', 'File to read instead of gatewarden.yaml.']]

const SAME_SETTINGS =
  'It reads the same configuration as gatewarden serve: --config FILE, and every setting as a flag. gatewarden serve --help lists them.'

const flagRow = (setting: (typeof settings)[number]): Row => [
  [setting.name, ...(setting.flags ?? [])].map(flagOf).join(', '),
  setting.description.replaceAll('`', ''),
]

type Row = readonly [left: string, right: string]

/** Names on the left, texts beside them; below them where a name is long. */
function table(rows: readonly Row[]): string {
  const short = rows.map(([left]) => left.length).filter((length) => length <= 26)
  const width = Math.max(...short) + 4
  return rows
    .map(([left, right]) => {
      const lines = wrap(right, COLUMNS - width)
      const first = `  ${left}`
      const [head = '', ...rest] = first.length + 2 <= width ? lines : ['', ...lines]
      return [
        `${first.padEnd(width)}${head}`.trimEnd(),
        ...rest.map((line) => ' '.repeat(width) + line),
      ]
        .map((line) => `${line}\n`)
        .join('')
    })
    .join('')
}

const paragraph = (text: string) => `${wrap(text, COLUMNS).join('\n')}\n`

/** Breaks a text at spaces; a word longer than a line stands alone. */
export function wrap(text: string, columns: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    if (line !== '' && line.length + 1 + word.length > columns) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}

export const version: Command = async (_args, io) => {
  io.stdout.write(`${buildIdentity().version}\n`)
  return 0
}
