/**
 * A browser's tab with scripts in front of a {@link Visitor}: it keeps the fragment of an address over redirects, runs
 * the scripts of our pages that their policy allows, and has a store of its own.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { runInNewContext } from 'node:vm'
import type { LightMyRequestResponse } from 'fastify'
import { attribute, tags } from '../pages/read-markup.ts'
import { CHROMIUM, hiddenField } from './browser.ts'
import { PASSWORD } from './build-app.ts'
import type { Visitor } from './visitor.ts'

export interface Tab {
  /** Its session storage. */
  readonly store: Map<string, string>
  readonly url: URL
  readonly answer: LightMyRequestResponse
  /** Every address that was asked for, each with the fragment that only the browser sees. */
  readonly way: readonly string[]
  /** Opens an address and goes on as far as redirects and scripts lead. */
  open(address: string): Promise<void>
  /** Follows the link that says this. */
  press(words: string): Promise<void>
  signIn(person?: { name?: string; password?: string }): Promise<void>
}

const marksFragment = (tag: string) => / data-fragment\b/.test(tag)

/** @param isOurs true for the addresses that the visitor can ask for */
export function openTab(visitor: Visitor, isOurs: (url: URL) => boolean): Tab {
  const store = new Map<string, string>()
  const way: string[] = []
  let url = new URL('about:blank')
  let answer: LightMyRequestResponse | undefined
  /** The addresses of the marked ways of the page, once its script ran. */
  let marked = new Map<string, string>()

  async function land(address: URL, answered?: LightMyRequestResponse): Promise<void> {
    way.push(address.href)
    if (way.length > 40) throw new Error(`this goes on for ever: ${way.join(' ')}`)
    url = address
    if (!isOurs(address)) return
    answer =
      answered ?? (await visitor.step(address.origin + address.pathname + address.search, CHROMIUM))
    const { location } = answer.headers
    if (location !== undefined) return land(inherit(location, address))
    const next = run(answer, address)
    if (next !== undefined) return land(new URL(next, address))
  }

  /** Runs the page's scripts; returns the address that they go on to. */
  function run(page: LightMyRequestResponse, address: URL): string | undefined {
    marked = new Map()
    const policy = String(page.headers['content-security-policy'])
    const ways = tags(page.body).filter(marksFragment)
    let next: string | undefined
    for (const [, script = ''] of page.body.matchAll(/<script>([^<]*)<\/script>/g)) {
      const hash = createHash('sha256').update(script).digest('base64')
      if (!policy.includes(`'sha256-${hash}'`)) throw new Error('the policy stops a script')
      // The button that shows the password has nothing to do with fragments.
      if (script.includes("'show'")) continue
      const data = /<script type="application\/json" id="data">([^<]*)/.exec(page.body)?.[1]
      runInNewContext(script, {
        location: { hash: address.hash, replace: (to: string) => (next = to) },
        sessionStorage: {
          getItem: (name: string) => store.get(name) ?? null,
          setItem: (name: string, value: string) => store.set(name, value),
          removeItem: (name: string) => store.delete(name),
        },
        document: {
          getElementById: () => ({ textContent: data }),
          querySelectorAll: () => ways.map(elementOf),
        },
      })
    }
    return next
  }

  const elementOf = (tag: string) => ({
    localName: tag.startsWith('<form') ? 'form' : 'a',
    getAttribute: (name: string) => attribute(tag, name),
    setAttribute: (name: string, value: string) => marked.set(attribute(tag, name) ?? '', value),
  })
  const page = () => {
    if (!answer) throw new Error('no page is open')
    return answer
  }

  return {
    store,
    get url() {
      return url
    },
    get answer() {
      return page()
    },
    way,
    open: (address) => land(new URL(address)),
    async press(words) {
      const tag = tags(page().body).find(
        (one) => one.startsWith('<a') && page().body.includes(`${one}<bdi>${words}`),
      )
      const href = attribute(tag, 'href')
      if (href === undefined) throw new Error(`no link says ${words}: ${page().body}`)
      await land(new URL(marked.get(href) ?? href, url))
    },
    async signIn({ name = 'ann', password = PASSWORD } = {}) {
      const form = tags(page().body).find((tag) => tag.startsWith('<form') && marksFragment(tag))
      const given = attribute(form, 'action') ?? ''
      const action = new URL(marked.get(given) ?? given, url)
      const interaction = hiddenField(page().body, 'interaction')
      await land(
        action,
        await visitor.send(action, { interaction, username: name, password }, CHROMIUM),
      )
    },
  }
}

/** A redirect without a fragment keeps that of the address before it (Fetch, HTTP-redirect fetch, step 5). */
function inherit(location: string, from: URL): URL {
  const next = new URL(location, from)
  if (next.hash === '') next.hash = from.hash
  return next
}
