/** docs/logs.md: its filters read the lines that the program writes (ed23). */
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { withEventReference } from '../../scripts/lib/event-reference.ts'
import { EVENTS } from '../../src/events.ts'
import { createBrowser } from '../support/browser.ts'
import { ANYONE, buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import { readPage } from '../support/documentation.ts'
import { authorizeUrl, check, consentTo, obtainTokens, register } from '../support/oauth-client.ts'
import { signInThere, startJourney } from '../support/provider-journey.ts'
import { typeIn } from '../support/steps.ts'
import { filesBelow } from './sentences.ts'

const PAGE = readPage('docs/logs.md')
const FROM = { 'x-forwarded-for': '::ffff:198.51.100.7' }
/** A name that tries to look like a line of ours. */
const HOSTILE = 'x","event":"sign-in-failed","address":"203.0.113.1","reason":"wrong"'

async function signInBadly(
  gateway: TestApp,
  credentials: { name: string; password: string },
  times = 1,
): Promise<void> {
  const browser = createBrowser(gateway.app)
  const client = await register(gateway.app, { client_name: HOSTILE })
  const page = await consentTo(browser, authorizeUrl(client))
  for (let i = 0; i < times; i += 1) await typeIn(browser, page, credentials, FROM)
}

/** The lines as they leave the program: `serve` writes the time as ISO 8601. */
const linesOf = ({ logs }: TestApp) =>
  logs.map(({ level, time, ...rest }) =>
    JSON.stringify({ level, time: new Date(Number(time)).toISOString(), ...rest }),
  )
const eventsOf = ({ logs }: TestApp, event: string) => logs.filter((line) => line.event === event)

it('ed23: a failed sign-in is one line with address, reason, server, client and request', async () => {
  const gateway = await buildTestApp()
  await signInBadly(gateway, { name: 'ANN@example.com', password: 'wrong' }, 6)
  const failures = eventsOf(gateway, 'sign-in-failed')
  expect(failures.map(({ reason }) => reason)).toEqual([...Array(5).fill('wrong'), 'locked'])
  expect(failures[0]).toMatchObject({
    msg: 'sign-in failed',
    address: '198.51.100.7',
    user: 'ann',
    resource: 'notes',
    client: expect.any(String),
    clientId: expect.stringMatching(/^[\w-]{16}$/),
    grant: expect.stringMatching(/^[\w-]{10}$/),
    provider: 'builtin',
    requestId: expect.any(String),
  })
})

it('ed23: no line holds what was typed, which may be a password', async () => {
  const gateway = await buildTestApp()
  await signInBadly(gateway, { name: 'tr0ub4dor&3', password: 'hunter2' })
  expect(eventsOf(gateway, 'sign-in-failed')).toHaveLength(1)
  expect(eventsOf(gateway, 'sign-in-failed')[0]).not.toHaveProperty('user')
  expect(JSON.stringify(gateway.logs)).not.toMatch(/tr0ub4dor|hunter2/)
})

it('ed23: a refused person is one line with address, e-mail, id and groups', async () => {
  const journey = await startJourney({
    resources: [resource({ allow: { ...ANYONE, anyone: false, groups: ['staff'] } })],
  })
  journey.provider.person = {
    sub: 'mallory',
    email: 'mallory@example.org',
    email_verified: true,
    groups: ['/guests', 'interns'],
  }
  expect((await signInThere(journey)).statusCode).toBe(403)
  expect(eventsOf(journey, 'person-refused')).toEqual([
    expect.objectContaining({
      msg: 'person refused',
      address: '127.0.0.1',
      user: 'mallory@example.org',
      userId: expect.stringMatching(/^u_/),
      groups: ['/guests', 'interns'],
      resource: 'notes',
      requestId: expect.any(String),
    }),
  ])
})

/** The block of code in a language whose text begins so. */
function code(language: string, beginning: string): string {
  const blocks = [...PAGE.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))]
  const found = blocks.map(([, text = '']) => text).find((text) => text.startsWith(beginning))
  if (found === undefined) throw new Error(`the page has no block of ${language}: ${beginning}`)
  return found
}

it("ed23: the page's fail2ban filter finds the address of each failed sign-in, and no other line", async () => {
  const gateway = await buildTestApp()
  await signInBadly(gateway, { name: 'ann', password: 'wrong' }, 6)
  await signInBadly(gateway, { name: HOSTILE, password: HOSTILE }, 2)
  const filter = code('ini', '[Definition]')
  const failregex = /^failregex = (.*)$/m.exec(filter)?.[1]?.replace('<HOST>', '([0-9a-f.:]+)')
  const datepattern = /^datepattern = (.*)$/m.exec(filter)?.[1]
  const date = new RegExp(
    String(datepattern)
      .replace('%%Y-%%m-%%d', String.raw`\d{4}-\d{2}-\d{2}`)
      .replace('%%H:%%M:%%S', String.raw`\d{2}:\d{2}:\d{2}`),
  )
  const lines = linesOf(gateway)
  expect(lines.every((line) => date.test(line))).toBe(true)
  const expected = lines.filter((line) => JSON.parse(line).event === 'sign-in-failed')
  expect(expected).toHaveLength(8)
  // fail2ban cuts the date out of a line before it looks at the rest.
  for (const seen of [lines, lines.map((line) => line.replace(date, ''))]) {
    const matches = seen.flatMap((line) => new RegExp(String(failregex)).exec(line) ?? [])
    expect(matches.filter((match) => match === '198.51.100.7')).toHaveLength(8)
    expect(matches).not.toContain('203.0.113.1')
  }
})

it("ed23: the page's CrowdSec files read fields that the lines have", async () => {
  const gateway = await buildTestApp()
  await signInBadly(gateway, { name: 'ann', password: 'wrong' })
  const [line = {}] = eventsOf(gateway, 'sign-in-failed')
  const parser = code('yaml', 'name: gatewarden/gatewarden-logs')
  const scenario = parse(code('yaml', 'type: leaky'))
  const fields = [...parser.matchAll(/evt\.Unmarshaled\.gatewarden\.(\w+)/g)].map(
    ([, name]) => name,
  )
  expect(fields).toContain('address')
  for (const field of fields) expect(line).toHaveProperty(String(field))
  const [node] = parse(parser).nodes
  expect(node.filter).toContain("event == 'sign-in-failed'")
  expect(node.filter).toContain(`'${line.reason}'`)
  const logType = node.statics.find(({ meta }: { meta: string }) => meta === 'log_type')
  expect(scenario.filter).toBe(`evt.Meta.log_type == '${logType.value}'`)
})

it('each example line on the page has the fields of a real one', async () => {
  const gateway = await buildTestApp()
  await signInBadly(gateway, { name: 'ann', password: 'wrong' })
  await obtainTokens(gateway.app)
  const examples = PAGE.match(/^\{"level":30.*\}$/gm) ?? []
  await check(gateway.app, { 'x-forwarded-host': 'gatewarden:11000' })
  expect(examples).toHaveLength(3)
  for (const example of examples.map((line) => JSON.parse(line))) {
    const [line = {}] = eventsOf(gateway, example.event)
    expect(Object.keys(example)).toEqual(Object.keys(line))
  }
})

it('fl12: names every event with its fields (fix it with: npm run docs:events)', () => {
  expect(withEventReference(PAGE)).toBe(PAGE)
})

it('fl12: the page names no event that there is not', () => {
  const prose = PAGE.slice(0, PAGE.indexOf('<!-- The events'))
  const named = [...prose.matchAll(/`([a-z]+(?:-[a-z]+)+)`/g)].map(([, name = '']) => name)
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter((name) => !Object.hasOwn(EVENTS, name))).toEqual([])
})

it('fl12: each event is emitted somewhere', () => {
  const code = filesBelow(['src'], '.ts')
    .filter((file) => file !== 'src/events.ts')
    .map(readPage)
    .join('\n')
  const silent = Object.keys(EVENTS).filter((name) => !code.includes(`'${name}'`))
  expect(silent).toEqual([])
})
