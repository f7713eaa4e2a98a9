/**
 * Every page in every state that matters, with real data and with an attacker's data. The tests read the pages,
 * `scripts/page-pictures.ts` takes their pictures.
 *
 * @module
 */
import { connectPage, connectPageHeaders } from '../../src/pages/connect-page.ts'
import { type ConsentPage, consentPage } from '../../src/pages/consent-page.ts'
import { appPage, continuePage } from '../../src/pages/continue-page.ts'
import { COVERED_BOXES_SOURCE } from '../../src/pages/covered-boxes.ts'
import { deviceAnsweredPage, devicePage } from '../../src/pages/device-page.ts'
import { errorPage } from '../../src/pages/error-page.ts'
import {
  FRAGMENT_SCRIPTS,
  restoreFragmentPage,
  saveFragmentPage,
} from '../../src/pages/fragment.ts'
import { frontPage } from '../../src/pages/front-page.ts'
import { type LoginPage, loginPage } from '../../src/pages/login-page.ts'
import { type RefusalReason, refusedPage } from '../../src/pages/refused-page.ts'
import { serverPage } from '../../src/pages/server-page.ts'
import { signInLinkPage } from '../../src/pages/sign-in-link-page.ts'
import { signInNeededPage } from '../../src/pages/sign-in-needed-page.ts'
import { signedOutPage, signOutPage } from '../../src/pages/sign-out-page.ts'
import { pageHeaders } from '../../src/pages/styles.ts'
import { TOOL_CHOICE_SOURCE } from '../../src/pages/tool-choice.ts'

/** The texts that come from outside, on all pages. */
export interface Words {
  readonly client: string
  readonly resource: string
  readonly host: string
  readonly scopes: readonly { readonly name: string; readonly description: string }[]
  readonly destination: string
  readonly scheme: string
  readonly person: string
  readonly help: string
  readonly support: string
  readonly typed: string
  readonly interaction: string
  readonly to: string
  readonly url: string
  readonly details: string
  readonly requestId: string
  readonly code: string
  readonly session: string
}

export const realistic: Words = {
  client: 'Claude Code',
  resource: 'Team notes',
  host: 'mcp.example.com',
  scopes: [
    { name: 'notes:read', description: 'Read your notes' },
    { name: 'notes:write', description: 'Change and delete your notes' },
  ],
  destination: 'claude.ai',
  scheme: 'cursor',
  person: 'ann@example.com',
  help: 'Forgot your password? Call the front desk at 1234.',
  support: 'help@example.com',
  typed: 'ann',
  interaction: 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..J7mM0',
  to: '/onward?code=c&state=s',
  url: 'https://mcp.example.com/notes/mcp',
  details:
    'The program asked for the answer at http://localhost:9999/callback, which is not one of the addresses it registered. Register it, or use a registered one.',
  requestId: 'req-7f3k9q',
  code: 'K7M-2QXA',
  session: `eyJhbGciOiJSUzI1NiJ9.${'eyJzdWIiOiJ1XzEi'.repeat(20)}.${'c2lnbmF0dXJl'.repeat(20)}`,
}

/** Closes attributes, elements and comments, in both kinds of quotes, and turns the line around. */
export const MARKUP = `x" onload="alert(1)' onclick='alert(2)><script>alert(3)</script><!--</title></style>&lt;\u202e`

/** {@link MARKUP} wherever a text can come from outside. */
export const markup: Words = {
  client: MARKUP,
  resource: MARKUP,
  host: MARKUP,
  scopes: [
    { name: MARKUP, description: MARKUP },
    { name: MARKUP, description: '' },
  ],
  destination: MARKUP,
  scheme: MARKUP,
  person: MARKUP,
  help: MARKUP,
  support: MARKUP,
  typed: MARKUP,
  interaction: MARKUP,
  to: `/onward?${MARKUP}`,
  url: MARKUP,
  details: MARKUP,
  requestId: MARKUP,
  code: MARKUP,
  session: MARKUP,
}

const unbroken = (start: string) => start.padEnd(64, 'W')

/** As long as we accept, without a place to break the line, and with stacks of accents. */
export const long: Words = {
  client: unbroken('Claude'),
  resource: unbroken('TeamNotes'),
  host: `${'sub-domain-without-end.'.repeat(8)}example.com`,
  scopes: [
    { name: unbroken('n'), description: unbroken('Read') },
    { name: unbroken('m'), description: `Change${'\u0300\u0323'.repeat(40)} your notes` },
  ],
  destination: `${'claude-ai-login-secure-'.repeat(5)}.evil.example`,
  scheme: unbroken('com-example-'),
  person: `${unbroken('ann')}@example.com`,
  help: unbroken('Forgot'),
  support: `${unbroken('help')}@example.com`,
  typed: unbroken('ann'),
  interaction: 'i'.repeat(3800),
  to: `/onward?state=${'s'.repeat(1000)}`,
  url: `https://mcp.example.com/${'path-without-end-'.repeat(12)}mcp`,
  details: `The address is http://localhost:9999/${'callback'.repeat(40)}`,
  requestId: 'r'.repeat(64),
  code: 'W'.repeat(64),
  session: 's'.repeat(3800),
}

/** Other scripts and directions, pictures in names, and more permissions than a screen holds. */
export const foreign: Words = {
  ...realistic,
  client: 'مساعد البرمجة 🧑‍🚀🏳️‍🌈 كلود',
  resource: 'הערות הצוות 📓📓📓',
  scopes: Array.from({ length: 14 }, (_, index) => ({
    name: `notes:${index}`,
    description: [
      'Notizen der Arbeitsgruppe lesen, auch die der Rechtsschutzversicherungsgesellschaften',
      'قراءة ملاحظاتك وتعديلها وحذفها',
      'ノートを読み取り、変更し、削除します',
      '✅ Read 📖',
    ][index % 4] as string,
  })),
  person: 'אן@דוגמה.example',
  help: 'نسيت كلمة المرور؟ اتصل بالاستقبال على 1234.',
  typed: 'אן',
}

export interface Variant {
  readonly name: string
  readonly html: string
  readonly navigatesAway: boolean
  /** The headers of a page that has its own. */
  readonly headers?: Readonly<Record<string, string>>
}

const CONNECT = { port: 49_152, nonce: 'bm9uY2U' }

/** Every variant with the given words, in the same order and under the same names for any words. */
export function variants(words: Words): readonly Variant[] {
  const consent = (over: Partial<ConsentPage> = {}) =>
    consentPage({
      action: '/consent',
      interaction: words.interaction,
      client: { name: words.client, known: 'self-declared' },
      resource: { name: words.resource, host: words.host },
      scopes: words.scopes,
      destination: { kind: 'host', host: words.destination },
      address: words.url,
      ...over,
    })
  const login = (over: Partial<LoginPage> = {}) =>
    loginPage({
      action: '/login',
      interaction: words.interaction,
      resourceName: words.resource,
      host: words.host,
      cancelAction: '/consent',
      help: words.help,
      clientName: words.client,
      ...over,
    })
  const ask = { label: `Ask ${words.support} for access`, href: words.to }
  const refused = (why: RefusalReason, asking?: typeof ask) =>
    refusedPage({
      why,
      ask: asking,
      resourceName: words.resource,
      host: words.host,
      signOutUrl: words.to,
      requestId: words.requestId,
    })
  const startAgain = {
    label: 'Start again',
    action: '/authorize',
    fields: { interaction: words.interaction },
  }
  const server = { resourceName: words.resource, name: 'notes', url: words.url }
  const variant = (name: string, html: string, navigatesAway = false) => ({
    name,
    html,
    navigatesAway,
  })
  return [
    variant('consent', consent({ person: words.person })),
    variant(
      'consent-unticked',
      consent({
        person: words.person,
        scopes: words.scopes.map((scope) => ({
          ...scope,
          hasBox: true,
          tools: Array.from({ length: 10 }, () => words.client),
        })),
        askedAgain: 'nothing',
      }),
    ),
    variant(
      'consent-known-loopback',
      consent({ person: words.person, destination: { kind: 'loopback' } }),
    ),
    variant('consent-loopback', consent({ destination: { kind: 'loopback' } })),
    variant(
      'consent-loopback-host',
      consent({ destination: { kind: 'loopback', host: words.destination } }),
    ),
    variant('consent-app', consent({ destination: { kind: 'app', scheme: words.scheme } })),
    variant('consent-device', consent({ destination: { kind: 'device', userCode: words.code } })),
    variant(
      'consent-known-device',
      consent({ person: words.person, destination: { kind: 'device', userCode: words.code } }),
    ),
    variant('device', devicePage({ action: '/device', proof: words.interaction })),
    variant(
      'device-filled',
      devicePage({ action: '/device', proof: words.interaction, userCode: words.code }),
    ),
    variant(
      'device-wrong',
      devicePage({ action: '/device', proof: words.interaction, problem: { kind: 'wrong' } }),
    ),
    variant(
      'device-locked',
      devicePage({
        action: '/device',
        proof: words.interaction,
        problem: { kind: 'locked', minutes: 10 },
      }),
    ),
    variant('device-allowed', deviceAnsweredPage({ allowed: true })),
    variant('device-denied', deviceAnsweredPage({ allowed: false })),
    {
      ...variant(
        'consent-boxes',
        consent({
          scopes: words.scopes.map((scope, index) => ({
            ...scope,
            hasBox: true,
            tools: [words.typed, words.details],
            covers: index === 0 ? ['notes:write'] : [],
          })),
          choice: 'boxes-1',
          areScopesAnnounced: true,
        }),
      ),
      headers: pageHeaders({ scripts: [COVERED_BOXES_SOURCE] }),
    },
    variant(
      'consent-again',
      consent({
        scopes: words.scopes.map((scope) => ({ ...scope, hasBox: true })),
        askedAgain: 'changed',
      }),
    ),
    {
      ...variant(
        'consent-tools',
        consent({
          scopes: [],
          choice: 'tools-1',
          tools: {
            mayUseAll: true,
            reading: [words.typed],
            single: words.scopes.map(({ description }) => ({ name: words.typed, description })),
          },
        }),
      ),
      headers: pageHeaders({ scripts: [TOOL_CHOICE_SOURCE] }),
    },
    variant('consent-configured', consent({ client: { name: words.client, known: 'configured' } })),
    variant('login', login()),
    variant('login-wrong', login({ name: words.typed, problem: { kind: 'wrong' } })),
    variant('login-locked', login({ name: words.typed, problem: { kind: 'locked', seconds: 32 } })),
    variant('login-busy', login({ name: words.typed, problem: { kind: 'busy', seconds: 1 } })),
    variant(
      'login-session',
      loginPage({
        action: '/login',
        interaction: words.interaction,
        resourceName: words.resource,
        host: words.host,
      }),
    ),
    variant('sign-out', signOutPage({ action: '/logout', host: words.host }), true),
    variant('signed-out', signedOutPage({ host: words.host }), true),
    variant(
      'signed-out-elsewhere',
      signedOutPage({ host: words.host, provider: words.resource, again: words.to }),
      true,
    ),
    variant('continue', continuePage({ to: words.to, label: `Continue to ${words.client}` }), true),
    {
      ...variant('fragment-save', saveFragmentPage({ to: words.to, key: 'k' }), true),
      headers: pageHeaders({ navigatesAway: true, scripts: [FRAGMENT_SCRIPTS.save] }),
    },
    {
      ...variant('fragment-restore', restoreFragmentPage({ to: words.to, key: 'k' }), true),
      headers: pageHeaders({ navigatesAway: true, scripts: [FRAGMENT_SCRIPTS.restore] }),
    },
    variant(
      'app-allowed',
      appPage({ to: words.to, label: `Open ${words.scheme}`, allowed: true }),
      true,
    ),
    variant(
      'app-denied',
      appPage({ to: words.to, label: `Open ${words.scheme}`, allowed: false }),
      true,
    ),
    variant(
      'error-retry',
      errorPage({
        kind: 'retry',
        title: 'This page was open for too long',
        text: `For your safety it only works for 30 minutes. ${words.client} has not been let in.`,
        requestId: words.requestId,
        actions: [startAgain],
      }),
    ),
    variant(
      'error-retry-fragment',
      errorPage({
        kind: 'retry',
        title: 'Start again',
        text: 'This took too long.',
        requestId: words.requestId,
        actions: [{ label: 'Start again', href: words.to, carriesFragment: true }],
      }),
    ),
    variant(
      'error-client',
      errorPage({
        kind: 'client',
        title: `${words.client} cannot be let in like this`,
        text: 'It asked for the answer to be sent somewhere it never told us about. You cannot fix that here, and nothing was shared.',
        details: words.details,
        requestId: words.requestId,
        actions: [{ label: `Back to ${words.destination}`, href: words.to }],
      }),
    ),
    variant(
      'error-forbidden',
      errorPage({
        kind: 'forbidden',
        title: `${words.resource} is not open to you`,
        text: `You are signed in as ${words.person}. Ask whoever runs ${words.host} to let you in.`,
        requestId: words.requestId,
        actions: [
          { ...startAgain, label: 'Sign in as someone else' },
          { label: `Back to ${words.client}`, href: words.to },
        ],
      }),
    ),
    variant(
      'error-broken',
      errorPage({
        kind: 'broken',
        title: 'This did not work',
        text: 'We have taken a note of it. Try again in a minute.',
        requestId: words.requestId,
        actions: [],
      }),
    ),
    {
      ...variant(
        'connect',
        connectPage({
          ...CONNECT,
          code: words.code,
          gateway: words.host,
          person: words.person,
          token: words.session,
        }),
      ),
      headers: connectPageHeaders(CONNECT),
    },
    variant('refused-person', refused({ kind: 'person', person: words.person }), true),
    variant('refused-person-ask', refused({ kind: 'person', person: words.person }, ask), true),
    variant('refused-permission', refused({ kind: 'permission', person: words.person }), true),
    variant('refused-unrouted', refused({ kind: 'unrouted', path: '/.gatewarden/' }), true),
    ...(['form', 'frame'] as const).map((why) =>
      variant(
        `sign-in-link-${why}`,
        signInLinkPage({
          why,
          resourceName: words.resource,
          signInUrl: words.to,
          requestId: words.requestId,
        }),
        true,
      ),
    ),
    ...[[server], [server, { ...server, url: 'http://localhost:8080/other' }]].map((servers) =>
      variant(
        `front-page-${servers.length}`,
        frontPage({
          servers,
          ...(servers.length > 1 && { person: words.person }),
          signOutUrl: words.to,
          requestId: words.requestId,
        }),
      ),
    ),
    variant(
      'server',
      serverPage({
        ...server,
        person: words.person,
        signOutUrl: words.to,
        requestId: words.requestId,
      }),
      true,
    ),
    variant(
      'sign-in-needed',
      signInNeededPage({
        resourceName: words.resource,
        resourceUrl: words.url,
        requestId: words.requestId,
      }),
    ),
  ]
}
