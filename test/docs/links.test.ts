/**
 * Links between the project's pages lead somewhere.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { everyPage, ROOT, readPage, withoutBlocks } from '../support/documentation.ts'

/** The links and images of a page, without those of other sites. */
function relativeLinks(page: string): readonly string[] {
  const text = withoutBlocks(page)
  const found = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|href|srcset)="([^"]+)"/g)]
  return found
    .map(([, link, attribute]) => link ?? attribute ?? '')
    .filter((link) => !/^[a-z]+:/.test(link))
}

/** The anchors of a page's headings. */
function anchorsOf(page: string): readonly string[] {
  return [...withoutBlocks(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

describe.each(everyPage())('%s', (path) => {
  it('links to nothing that is not there', () => {
    const missing = relativeLinks(readPage(path)).filter((link) => {
      const [file = '', anchor] = link.split('#')
      const target = file === '' ? path : posix.join(posix.dirname(path), file)
      if (!existsSync(ROOT + target)) return true
      return anchor !== undefined && !anchorsOf(readPage(target)).includes(anchor)
    })
    expect(missing).toEqual([])
  })
})

it('docs/README.md leads to every page of docs', () => {
  const linked = relativeLinks(readPage('docs/README.md')).map((link) => posix.join('docs', link))
  const pages = everyPage().filter((path) => path.startsWith('docs/') && path !== 'docs/README.md')
  expect(pages).toContain('docs/configuration.md')
  const lost = pages.filter(
    (path) => !linked.includes(path) && !linked.includes(posix.dirname(path)),
  )
  expect(lost).toEqual([])
})
