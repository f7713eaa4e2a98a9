/**
 * Reads the project's pages: their blocks of code and their links.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The top of the repository, with a final slash. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** @param path from the top of the repository */
export function readPage(path: string): string {
  return readFileSync(ROOT + path, 'utf8')
}

/** README.md and everything below docs/, as paths from the top of the repository. */
export function everyPage(): readonly string[] {
  const below = readdirSync(`${ROOT}docs`, { recursive: true, encoding: 'utf8' })
  return [
    'README.md',
    ...below.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
  ]
}

/**
 * The content of the code block that follows the comment `<!-- marker -->`.
 * @throws Error if there is none, or more than one
 */
export function blockOf(page: string, marker: string): string {
  const parts = page.split(`<!-- ${marker} -->\n`)
  const block = /^```\w*\n(.*?)^```$/ms.exec(parts[1] ?? '')
  if (parts.length !== 2 || block?.index !== 0) throw new Error(`not one block marked ${marker}`)
  return block[1] ?? ''
}

/** A page without its code blocks, where a bracket is no link and a number sign no heading. */
export function withoutBlocks(page: string): string {
  return page.replace(/^```.*?^```$/gms, '')
}

/** The rows of every table on a page, each as its cells. */
export function tableRows(page: string): readonly (readonly string[])[] {
  return [...page.matchAll(/^\|(.*)\|$/gm)].map(([, row = '']) =>
    row.split('|').map((cell) => cell.trim()),
  )
}
