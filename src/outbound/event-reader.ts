/**
 * Reads an event stream (WHATWG HTML section 9.2.6) as its text arrives. Pure; the caller bounds the bytes.
 *
 * @module
 */

/** Takes the next piece of the stream and returns the data of each event that ends in it. */
export type EventReader = (piece: string) => string[]

export function createEventReader(): EventReader {
  let line = ''
  let data: string[] = []
  let endedInReturn = false
  return (piece) => {
    // A line ends in CR, LF or both, and the two may come in different pieces.
    const text = endedInReturn && piece.startsWith('\n') ? piece.slice(1) : piece
    if (piece !== '') endedInReturn = piece.endsWith('\r')
    const [first = '', ...others] = text.split(/\r\n|\n|\r/)
    // Only appended: many small pieces of a long line cost no more than a large one.
    line += first
    const events: string[] = []
    for (const next of others) {
      const ended = endLine()
      if (ended !== undefined) events.push(ended)
      line = next
    }
    return events
  }

  function endLine(): string | undefined {
    if (/^data(?::|$)/.test(line)) data.push(line.slice('data:'.length).replace(/^ /, ''))
    if (line !== '' || data.length === 0) return undefined
    const event = data.join('\n')
    data = []
    return event
  }
}
