/**
 * The reference of events and fields in docs/logs.md, made from the union of events.
 *
 * @module
 */
import { FIELD_MEANINGS, FIELD_ORDER } from '../../src/event-fields.ts'
import { EVENTS, type EventDefinition, type EventName } from '../../src/events.ts'

const BEGIN = '<!-- The events: npm run docs:events -->'
const END = '<!-- The end of the events -->'

/** The page with its reference made anew. @throws Error if the page has no place for it */
export function withEventReference(page: string): string {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin === -1 || end === -1) throw new Error('docs/logs.md has no place for the events')
  return `${page.slice(0, begin)}${BEGIN}\n\n${eventReference()}\n${page.slice(end)}`
}

const BOUNDS = {
  address: '30 per minute and address, 300 in all',
  stray: '5 per minute and address, 30 in all',
  warning: '1 per minute and server',
} as const

function eventReference(): string {
  const names = Object.keys(EVENTS) as EventName[]
  const events = names.map((name) => {
    const { level, says, always, sometimes, bound }: EventDefinition = EVENTS[name]
    const fields = [...always.map(code), ...sometimes.map((field) => `(${code(field)})`)]
    const limit = bound === undefined ? '' : BOUNDS[bound]
    return row([code(name), level, cell(says), fields.join(' '), limit])
  })
  const used = new Set<string>(names.flatMap((name) => fieldsOf(EVENTS[name])))
  const fields = FIELD_ORDER.filter((field) => used.has(field)).map((field) =>
    row([code(field), cell(FIELD_MEANINGS[field])]),
  )
  return [
    table(['`event`', 'level', '`msg`', 'fields', 'lines at most'], events),
    table(['field', 'meaning'], fields),
  ].join('\n')
}

const fieldsOf = ({ always, sometimes }: EventDefinition) => [...always, ...sometimes]
const code = (name: string) => `\`${name}\``
const cell = (text: string) => text.replaceAll('|', '\\|')
const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
const table = (head: readonly string[], rows: readonly string[]) =>
  `${[row(head), row(head.map(() => '---')).replaceAll(' ', ''), ...rows].join('\n')}\n`
