/**
 * A browser without JavaScript: cookies, redirects, refreshes and forms, with the headers of a real browser.
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

/** The end of a navigation: a page, or an address that the caller waits for. */
export type Landing =
  | { readonly kind: 'page'; readonly page: Exchange }
  | { readonly kind: 'reached'; readonly url: URL }

export interface Browser {
  readonly cookies: CookieJar
  /** Opens `url` and follows redirects and refreshes; stops before it requests an address that `until` accepts. */
  open(url: URL, until?: (url: URL) => boolean): Promise<Landing>
  /** Sends a form of `page` with `fields` filled in, by the button with the value `button`, if given. */
  submit(submission: {
    page: Exchange
    form: Form
    fields?: Readonly<Record<string, string>>
    button?: string
    until?: (url: URL) => boolean
  }): Promise<Landing>
  /** Takes a person through consent and login. See {@link SignInOptions}. */
  signIn(authorizationUrl: URL, options: SignInOptions): Promise<URL>
}

export interface SignInOptions extends Credentials {
  /** The answer on the consent page. */
  readonly decision?: 'approve' | 'deny'
  /** If false, the browser returns the address of the client's callback without a request to it. */
  readonly deliver?: boolean
}

const MAX_STEPS = 20

/** Creates a browser without cookies. */
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
 * Answers the consent page, types name and password if asked, and returns the address of the client's callback with the
 * code. Also requests that address, as a browser does, unless `deliver` is false.
 * @throws Error with the text of the page that stopped it
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

/** The `Sec-Fetch-Site` of a navigation. Each host is a site of its own: loopback has no registrable domains. */
function fetchSite(to: URL, from: URL | undefined): string {
  if (!from) return 'none'
  if (from.origin === to.origin) return 'same-origin'
  return from.hostname === to.hostname && from.protocol === to.protocol ? 'same-site' : 'cross-site'
}
