/**
 * A browser without JavaScript: cookies, redirects, refreshes and forms, with the headers a real one sends.
 *
 * @module
 */
import { type CookieJar, createCookieJar } from './cookie-jar.ts'
import { type Form, readForms, readRefresh, readText } from './html-page.ts'
import { type Exchange, type ExchangeOptions, exchange } from './http-exchange.ts'

export interface Credentials {
  readonly name: string
  readonly password: string
}

/** Where a navigation ended: a page to look at, or an address the caller wanted to be told of. */
export type Landing =
  | { readonly kind: 'page'; readonly page: Exchange }
  | { readonly kind: 'reached'; readonly url: URL }

export interface Browser {
  readonly cookies: CookieJar
  /** Goes to `url` and on, as far as redirects and refreshes lead; stops before requesting an address that `until` names. */
  open(url: URL, until?: (url: URL) => boolean): Promise<Landing>
  /** Sends a form of `page` with `fields` filled in, by the button of that value where it matters. */
  submit(submission: {
    page: Exchange
    form: Form
    fields?: Readonly<Record<string, string>>
    button?: string
    until?: (url: URL) => boolean
  }): Promise<Landing>
  /** One person's way through consent and login. See {@link SignInOptions}. */
  signIn(authorizationUrl: URL, options: SignInOptions): Promise<URL>
}

export interface SignInOptions extends Credentials {
  /** What to answer on the consent page. */
  readonly decision?: 'approve' | 'deny'
  /** False: the client's callback is not requested, only returned. */
  readonly deliver?: boolean
}

const MAX_STEPS = 20

/** A browser with no cookies yet. */
export function createBrowser(): Browser {
  const cookies = createCookieJar()

  const request = async (url: URL, from: URL | undefined, options: ExchangeOptions = {}) => {
    const cookie = cookies.header(url)
    const answer = await exchange(url, {
      ...options,
      headers: {
        accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
        'user-agent': 'Mozilla/5.0 (test browser without scripts)',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
        'sec-fetch-user': '?1',
        'sec-fetch-site': fetchSite(url, from),
        ...(cookie !== undefined && { cookie }),
        ...options.headers,
      },
    })
    cookies.store(url, answer.setCookies)
    return answer
  }

  const follow = async (first: Exchange, until: (url: URL) => boolean): Promise<Landing> => {
    let page = first
    for (let step = 0; step < MAX_STEPS; step++) {
      const to = page.headers.location ?? readRefresh(page.body)
      if (to === undefined) return { kind: 'page', page }
      const next = new URL(to, page.url)
      if (until(next)) return { kind: 'reached', url: next }
      page = await request(next, page.url)
    }
    throw new Error(`redirected ${MAX_STEPS} times, last to ${page.url.href}`)
  }

  const browser: Browser = {
    cookies,
    open: async (url, until = () => false) => follow(await request(url, undefined), until),
    async submit({ page, form, fields = {}, button, until = () => false }) {
      const to = new URL(form.action, page.url)
      const body = formBody(form, fields, button)
      if (form.method === 'GET') {
        to.search = body
        return follow(await request(to, page.url), until)
      }
      const answer = await request(to, page.url, {
        method: form.method,
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin: page.url.origin },
        body,
      })
      return follow(answer, until)
    },
    signIn: (url, options) => signIn(browser, url, options),
  }
  return browser
}

/**
 * Answers the consent page, types name and password where asked, and returns the address of the client's callback,
 * code included. It is requested too, as a browser would, unless `deliver` is false.
 * @throws Error with the words of the page it could not get past
 */
async function signIn(browser: Browser, url: URL, options: SignInOptions): Promise<URL> {
  const callback = new URL(url.searchParams.get('redirect_uri') ?? '')
  const until = (next: URL) =>
    next.origin === callback.origin && next.pathname === callback.pathname
  let landing = await browser.open(url, until)
  for (let step = 0; landing.kind === 'page' && step < MAX_STEPS; step++) {
    landing = await answerPage(browser, landing.page, { options, until })
  }
  if (landing.kind === 'page') throw new Error('the pages of the login never end')
  if (options.deliver !== false) await exchange(landing.url)
  return landing.url
}

function answerPage(
  browser: Browser,
  page: Exchange,
  { options, until }: { options: SignInOptions; until: (url: URL) => boolean },
): Promise<Landing> {
  const refused = /aria-invalid="true"|role="alert"/.test(page.body)
  for (const form of refused ? [] : readForms(page.body)) {
    const password = form.inputs.find(({ type }) => type === 'password')
    const name = form.inputs.find((input) => input.name === 'username')
    if (password && name) {
      const fields = { [name.name]: options.name, [password.name]: options.password }
      return browser.submit({ page, form, fields, until })
    }
    const button = options.decision ?? 'approve'
    if (form.buttons.some(({ value }) => value === button)) {
      return browser.submit({ page, form, button, until })
    }
  }
  throw new Error(
    `the login stops at ${page.url.origin}${page.url.pathname} (${page.status}): ${readText(page.body).slice(0, 500)}`,
  )
}

function formBody(form: Form, fields: Readonly<Record<string, string>>, button?: string): string {
  const body = new URLSearchParams()
  for (const { type, name, value, checked } of form.inputs) {
    if (name === '' || (/^(checkbox|radio)$/.test(type) && !checked)) continue
    body.append(name, fields[name] ?? value)
  }
  const pressed = form.buttons.find(({ value }) => value === button)
  if (pressed) body.append(pressed.name, pressed.value)
  return body.toString()
}

/** `Sec-Fetch-Site` of a navigation; hosts are their own sites here, since loopback has no registrable domains. */
function fetchSite(to: URL, from: URL | undefined): string {
  if (!from) return 'none'
  if (from.origin === to.origin) return 'same-origin'
  return from.hostname === to.hostname && from.protocol === to.protocol ? 'same-site' : 'cross-site'
}
