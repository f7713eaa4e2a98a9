/**
 * A setting that the start accepts can match something (cases cl9, ed18 and ed19). Values that came along with quotes or
 * unseen characters, and lists that were cut in the wrong places, would let nobody in.
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import { settings } from '../../src/config/schema.ts'
import {
  parseAllowedDomain,
  parseAllowedEmail,
  parseGroup,
  parseHostedDomain,
} from '../../src/config/values/people.ts'
import { parseNetwork } from '../../src/config/values/plain.ts'
import { InvalidValue } from '../../src/config/values/problem.ts'
import { parseRegistrant } from '../../src/config/values/registration.ts'
import {
  parseAllowedOrigin,
  parsePublicUrl,
  parseResourceUrl,
} from '../../src/config/values/urls.ts'
import { compileOrigins } from '../../src/http/origins.ts'
import { compileTrustedProxies } from '../../src/http/trusted-proxies.ts'
import { compileRegistration } from '../../src/oauth/clients/registration-policy.ts'
import { redirectUriProblem } from '../../src/oauth/redirect-uri.ts'
import { createHostedDomains } from '../../src/providers/hosted-domains.ts'
import { identityFromClaims } from '../../src/providers/oidc-identity.ts'
import { compilePolicy } from '../../src/resources/policy.ts'
import { createResourceTable } from '../../src/resources/resource-table.ts'
import { isOwnHost } from '../../src/url/host.ts'
import { resource } from '../support/build-app.ts'
import { BASE, type Given, HASH, load, loadYaml, problemsOf } from './harness.ts'

const problems = (env: NonNullable<Given['env']>, files = {}) =>
  problemsOf(() => load({ env, files }))
const NOBODY = { anyone: false, emails: [], domains: [], groups: [] }
const OURS = 'https://auth.example.com'
const RULES = { ownOrigin: OURS, isProtected: () => false, isOpenedScheme: () => true }

/** A person with this verified e-mail and these groups, as a provider states them. */
const person = (email: string, groups: readonly string[] = []) =>
  identityFromClaims({ iss: 'i', sub: 's', email, email_verified: true, groups }, 'groups')

/** For each kind of list: the parser of an entry, and whether a request that the entry means passes. */
const KINDS: Readonly<Record<string, (written: string) => boolean>> = {
  'an e-mail'(written) {
    const entry = parseAllowedEmail(written)
    return entry === '*' || compilePolicy({ ...NOBODY, emails: [entry] })(person(entry))
  },
  'a domain'(written) {
    const entry = parseAllowedDomain(written)
    const email = `x@${entry.replace(/^\*/, 'sub')}`
    return entry === '*' || compilePolicy({ ...NOBODY, domains: [entry] })(person(email))
  },
  'a group'(written) {
    const entry = parseGroup(written)
    return compilePolicy({ ...NOBODY, groups: [entry] })(person('', [entry]))
  },
  'a hosted domain'(written) {
    const entry = parseHostedDomain(written)
    createHostedDomains([entry]).admit({ hd: entry })
    return entry !== 'gmail.com'
  },
  'an origin'(written) {
    const entry = parseAllowedOrigin(written)
    const asked = entry.endsWith('://*') ? `${entry.slice(0, -1)}Some-Page` : entry
    if (/^https?:/.test(asked) && new URL(asked).origin !== asked) return false
    const allowed = compileOrigins([entry], OURS)
    return /^(?:\*|loopback)$/.test(entry) || allowed(asked, { origin: 'https://mcp.example.com' })
  },
  'a registrant'(written) {
    const entry = parseRegistrant(written)
    if (entry === 'open' || entry === 'off') return true
    const uris = entry.endsWith(':')
      ? [`${entry}//x`, `${entry}//oauth`, `${entry}//callback`, `${entry}//x.y/oauth/callback`]
      : [`https://${entry}/cb`, `http://${entry}/cb`]
    return uris.some(
      (uri) =>
        redirectUriProblem(uri, RULES) === undefined && compileRegistration([entry]).allows(uri),
    )
  },
  'a server'(written) {
    const entry = parseResourceUrl(written)
    const table = createResourceTable([resource({ url: entry })])
    const { host, pathname } = new URL(entry.replace('://*.', '://some-label.'))
    return typeof table.match(host, pathname) !== 'string'
  },
  'our own address'(written) {
    const { origin } = parsePublicUrl(written)
    return isOwnHost(new URL(origin).host, origin)
  },
  'a network'(written) {
    const entry = parseNetwork(written)
    return compileTrustedProxies([entry])(entry.replace(/\/.*/, ''))
  },
}

/** The same numbers each time (mulberry32). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const PIECES = [
  ...[
    'a',
    'B',
    'ann',
    '.',
    '..',
    '-',
    '_',
    '@',
    '*',
    ':',
    '/',
    '//',
    '?',
    '#',
    '\\',
    '\\.',
    '^',
    '$',
  ],
  ...['(', ')', '|', '[', ']', '+', '%', '%41', '"', "'", ' ', ',', '=', '~', '1', '255', '8080'],
  ...[
    'example.com',
    'EXAMPLE.com',
    'xn--bcher-kva.example',
    'b\u00fccher.example',
    '\u212a',
    '\u0130',
  ],
  ...['\uff20', '\uff0e', '\u3002', '\u00ad', '\u200b', '\u00e9', 'e\u0301', '\u00df', '\u5b57'],
  ...['https://', 'http://', 'HTTPS://', 'moz-extension://', 'app://', 'cursor:', 'com.example:'],
  ...[
    'ws://',
    'file://',
    'localhost',
    '127.0.0.1',
    '::1',
    '[::1]',
    '10.0.0.0',
    '/8',
    '/32',
    '::',
    '0.0.0.0',
  ],
]

it.each(Object.entries(KINDS))(
  'cl9: every entry that is accepted as %s lets something pass',
  (_kind, passes) => {
    const next = random(20261121)
    const pick = () => PIECES[Math.floor(next() * PIECES.length)] ?? ''
    let accepted = 0
    const useless: string[] = []
    const tried = [...PIECES, ...PIECES.flatMap((a) => PIECES.map((b) => a + b))]
    for (let round = 0; round < 20_000; round += 1) {
      tried.push(Array.from({ length: 1 + Math.floor(next() * 5) }, pick).join(''))
    }
    for (const written of tried.map((text) => text.trim())) {
      try {
        if (!passes(written)) useless.push(written)
        accepted += 1
      } catch (error) {
        if (!(error instanceof InvalidValue)) throw new Error(written, { cause: error })
      }
    }
    expect(accepted).toBeGreaterThan(40)
    expect(useless).toEqual([])
  },
)

describe('cl9: an origin that no request can have', () => {
  const ORIGIN = { origin: 'https://mcp.example.com' }
  it.each([
    'https://*',
    'http://*',
    'https://*.example.com',
    'chrome-extension://*abc',
    'app://*.x',
    'null',
    'file://x',
    'wss://app.example.com',
    'app://b\u00fccher',
  ])('stops the start: %s', (origin) => {
    expect(problems({ ALLOWED_ORIGINS: origin })).toEqual([
      expect.stringMatching(/^ALLOWED_ORIGINS: ".+" is .+\. (?:Write|List) .+\.$/),
    ])
  })

  it('is not moz-extension://*, which is every origin of that scheme and of no other, also in production', () => {
    const { config } = load({ env: { ALLOWED_ORIGINS: 'moz-extension://*', PROD_MODE: 'true' } })
    const allowed = compileOrigins(config.allowedOrigins, OURS)
    for (const origin of ['moz-extension://0b9c-11', 'moz-extension://ABC', 'MOZ-extension://x']) {
      expect([origin, allowed(origin, ORIGIN)]).toEqual([origin, true])
    }
    for (const origin of [
      'chrome-extension://abc',
      'https://moz-extension',
      'moz-extension:abc',
      'moz-extension://',
      'moz-extension://a/b',
      'xmoz-extension://a',
      'null',
      'http://localhost',
    ]) {
      expect([origin, allowed(origin, ORIGIN)]).toEqual([origin, false])
    }
  })
})

it('cl9: groups let nobody in where the provider states none', () => {
  const google = (env: Record<string, string | undefined>) => ({
    env: {
      PROVIDER: 'google',
      CLIENT_ID: 'x',
      CLIENT_SECRET: 'y',
      ALLOWED_GROUPS: 'staff',
      ...env,
    },
    files: { '/srv/gatewarden.yaml': '' },
  })
  const alone = google({ ALLOWED_EMAILS: undefined })
  expect(problemsOf(() => load(alone))).toEqual([
    'ALLOWED_GROUPS: names groups, but without GOOGLE_SERVICE_ACCOUNT Google states none, so nobody may pass. List e-mails or domains.',
  ])
  expect(load(google({})).warnings).toContain(
    'ALLOWED_GROUPS: names groups, but without GOOGLE_SERVICE_ACCOUNT Google states none. Remove them.',
  )
  const byDomain = google({ ALLOWED_EMAILS: undefined, GROUPS_CLAIM: 'hd' })
  expect(problemsOf(() => load(byDomain))).toEqual([])
})

describe('ed18: names with commas', () => {
  const groups = (env: Given['env'], argv: readonly string[] = []) =>
    load({ env: { ALLOWED_EMAILS: undefined, ...env }, argv }).config.resources[0]?.allow.groups
  const NAME = 'CN=staff,OU=Groups,DC=corp'

  it.each([
    ['CN=staff,OU=Groups,DC=corp', ['CN=staff', 'OU=Groups', 'DC=corp']],
    ['CN=staff\\,OU=Groups\\,DC=corp', [NAME]],
    ['CN=staff\\,OU=Groups\\,DC=corp,admins', [NAME, 'admins']],
    [`["${NAME}","admins"]`, [NAME, 'admins']],
    [' [ "a" , "b\\\\c" ] ', ['a', 'b\\c']],
    ['a\\\\,b', ['a\\', 'b']],
    ['a\\b', ['a\\b']],
    ['a\nb,c', ['a', 'b', 'c']],
    ['[]x', ['[]x']],
  ])('are one name where the setting says so: %s', (written, expected) => {
    expect(groups({ ALLOWED_GROUPS: written })).toEqual(expected)
    expect(groups({}, [`--allowed-groups=${written}`])).toEqual(expected)
  })

  it('are one name in .env and in the file', () => {
    const dotenv = { '/srv/.env': `ALLOWED_GROUPS='["${NAME}"]'\n` }
    const fromDotenv = load({ env: { ALLOWED_EMAILS: undefined }, files: dotenv }).config
    expect(fromDotenv.resources[0]?.allow.groups).toEqual([NAME])
    const yaml = `allow: { groups: ["${NAME}"] }\nresources: [https://a.b.c]\n`
    expect(loadYaml(yaml).config.resources[0]?.allow.groups).toEqual([NAME])
    const users = `users: { ann: { groups: ["${NAME}"], password_hash: "${HASH}" } }`
    expect(load({ files: { '/srv/gatewarden.yaml': users } }).config.users[0]?.groups).toEqual([
      NAME,
    ])
  })

  it('cause a warning where they were cut', () => {
    const warned = load({ env: { ALLOWED_GROUPS: NAME } }).warnings
    expect(warned).toContain(
      'ALLOWED_GROUPS: lists 3 groups that look like one LDAP name. Write \\, for a comma inside a name, or a JSON list: ["CN=staff,OU=Groups,DC=corp"].',
    )
    for (const good of [`["${NAME}"]`, 'CN=staff\\,OU=Groups', 'a,b', 'CN=a,b']) {
      expect(load({ env: { ALLOWED_GROUPS: good } }).warnings.join()).not.toContain('LDAP')
    }
  })

  it('are one secret, too, in a JSON list of former secrets', () => {
    const [first, second] = [`a,b${'x'.repeat(40)}`, 'y'.repeat(40)]
    const written = JSON.stringify([first, second])
    const { config } = load({ env: { SECRET_PREVIOUS: written, SECRET: 'z'.repeat(40) } })
    expect(config.secretPrevious).toEqual([first, second])
  })

  it('are refused in brackets that are no JSON list', () => {
    for (const written of ['[staff, admins]', '["a", 1]', "['a']"]) {
      expect(problems({ ALLOWED_GROUPS: written })).toEqual([
        'ALLOWED_GROUPS: is in brackets, but it is not a JSON list of texts. Write a,b or ["a","b"].',
      ])
    }
    expect(load({ env: { CLIENT_REGISTRATION: '[::1],localhost' } }).config.registration).toEqual([
      '[::1]',
      'localhost',
    ])
  })
})

describe('ed19: characters that came along', () => {
  const SECRET = 'nU0o7QpY1xJ4rTz8vKcW3mBdLs6HfGae2iXq'
  const QUOTES = [
    ...[
      '""',
      "''",
      '``',
      '\u201c\u201d',
      '\u201e\u201c',
      '\u2018\u2019',
      '\u00ab\u00bb',
      '\u2039\u203a',
    ],
  ].map(
    ([open = '', close = '']) =>
      (text: string) =>
        `${open}${text}${close}`,
  )
  const VALUES = {
    ...BASE,
    ALLOWED_DOMAINS: 'example.test',
    ALLOWED_GROUPS: 'staff',
    CLIENT_REGISTRATION: 'claude.ai',
    DEV_MODE: 'true',
    PORT: '9000',
    GROUPS_CLAIM: 'groups',
    LOG_LEVEL: 'info',
    SECRET,
    STATIC_BEARER_TOKENS: `ci:${SECRET}`,
    REDIS_URL: 'redis://localhost',
  }

  it.each(Object.entries(VALUES))('are named where they are quotes around %s', (name, value) => {
    for (const inQuotes of QUOTES) {
      const found = problems({ [name]: inQuotes(value) })
      expect(found[0]).toMatch(new RegExp(`^${name}: .*is in quotes; leave them out\\.`))
      expect(found.join()).not.toContain(SECRET)
    }
  })

  it('are named for every setting there is', () => {
    for (const { name } of settings) {
      const found = problems({ [name]: '"some-value"' })
      expect([
        name,
        found.some((problem) => problem.includes('is in quotes; leave them out')),
      ]).toEqual([name, true])
    }
  })

  it('are named for each entry of a list', () => {
    for (const value of ["ann@example.com,'bob@example.com'", '"a@b.c","d@e.f"']) {
      expect(problems({ ALLOWED_EMAILS: value })).toEqual([
        expect.stringMatching(/^ALLOWED_EMAILS: .* is in quotes; leave them out\.$/),
      ])
    }
    expect(problems({ ALLOWED_GROUPS: 'a,"b' })).toEqual([
      'ALLOWED_GROUPS: "\\"b" has a quote at one end. Leave it out.',
    ])
    const tokens = `a:${SECRET},"b:${[...SECRET].toReversed().join('')}"`
    const [problem = ''] = problems({ STATIC_BEARER_TOKENS: tokens })
    expect(problem).toMatch(/^STATIC_BEARER_TOKENS: is in quotes; leave them out\./)
    expect(problem).not.toContain(SECRET.slice(0, 8))
  })

  it('are named in the sections of the file', () => {
    const yaml = `resources: { notes: { url: "'https://a.b.c'", name: '"Notes"' } }\nallow: { emails: ["'ann@example.com'"] }\n`
    const found = problemsOf(() => loadYaml(yaml))
    for (const name of ['resources.notes.url', 'resources.notes.name', 'allow.emails']) {
      expect(found.filter((problem) => problem.startsWith(`${name}: `))).toEqual([
        expect.stringContaining('is in quotes; leave them out.'),
      ])
    }
    const client = `clients: [{ client_id: ci, client_secret: '"${SECRET}"', redirect_uris: ["https://c.example/"] }]\n`
    const [problem = ''] = problemsOf(() => load({ yaml: client }))
    expect(problem).toMatch(/^clients\.ci\.client_secret: is in quotes; leave them out\./)
    expect(problem).not.toContain(SECRET)
  })

  it('are part of a secret that comes from a file', () => {
    const files = { '/run/secret': `"${SECRET}"\n`, '/run/client': `'${SECRET}'` }
    expect(load({ env: { SECRET_FILE: '/run/secret' }, files }).config.secret).toBe(`"${SECRET}"`)
    const yaml = `clients: [{ client_id: ci, client_secret_file: /run/client, redirect_uris: ["https://c.example/"] }]\n`
    const { clients } = load({ yaml, files: { '/run/client': `'${SECRET}'` } }).config
    expect(clients).toEqual([expect.objectContaining({ secret: `'${SECRET}'` })])
    expect(problems({ SECRET_FILE: '"/run/secret"' }, files)).toEqual([
      'SECRET_FILE: "\\"/run/secret\\"" is in quotes; leave them out.',
    ])
  })

  it.each(['\r', '\u00a0', '\ufeff', ' ', '\t', '\r\n'])(
    'do no harm where they stand around a value and mean nothing: %j',
    (char) => {
      for (const text of [(value: string) => value + char, (value: string) => char + value]) {
        const env = Object.fromEntries(
          Object.entries(VALUES).map(([name, value]) => [name, text(value)]),
        )
        expect(load({ env }).config).toEqual(load({ env: VALUES }).config)
      }
    },
  )

  it.each(['\u200b', '\u200d', '\u2060', '\u00ad', '\u202e', '\ufeff', '\u00a0', '\u2009'])(
    'are named where nobody sees them: %j',
    (char) => {
      const code = char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')
      for (const [name, value] of [
        ['ALLOWED_DOMAINS', `exa${char}mple.com`],
        ['ALLOWED_EMAILS', `a${char}nn@example.com`],
        ['ALLOWED_GROUPS', `sta${char}ff`],
      ] as const) {
        expect(problems({ [name]: value })).toEqual([
          expect.stringMatching(
            new RegExp(
              `^${name}: ".*" holds the invisible character U\\+${code}\\. Type the value again\\.$`,
            ),
          ),
        ])
      }
      const name = `Team${char}notes`
      const yaml = `allow: { domains: [a.b] }\nresources: { notes: { url: https://a.b.c, name: "${name}" } }\n`
      expect(loadYaml(yaml).config.resources[0]?.name).toBe(name)
    },
  )

  /** Text of an env file, with the variables in it. */
  const filledBy = (text: string) => text.replace('<', '${').replace('>', '}')

  it.each([
    ['PUBLIC_URL', 'https://<AUTH_HOST>'],
    ['RESOURCES', 'https://<DOMAIN:-mcp.example.com>/mcp'],
    ['ALLOWED_DOMAINS', '<COMPANY>'],
    ['ALLOWED_EMAILS', 'ann@<COMPANY>'],
    ['COOKIE_DOMAIN', '<DOMAIN>'],
    ['PORT', '<PORT:?no port>'],
    ['SECRET', '<GATEWARDEN_SECRET_OF_THIS_DEPLOYMENT>'],
  ])('are named where they are a variable that nothing filled in: %s=%s', (name, text) => {
    const [variable = ''] = /<.*>/.exec(text) ?? []
    expect(problems({ [name]: filledBy(text) })).toContain(
      `${name}: holds the variable ${filledBy(variable)}, which nothing filled in. Write its value.`,
    )
  })

  it('are part of a secret and of a text for people, where they are a variable beside other text', () => {
    const secret = filledBy(`${SECRET}<A>`)
    const name = filledBy('Notes <A>')
    const yaml = `resources: { notes: { url: https://a.b.c, name: "${name}" } }\n`
    const { config } = load({ env: { SECRET: secret, RESOURCES: undefined }, yaml })
    expect([config.secret, config.resources[0]?.name]).toEqual([secret, name])
  })

  it('are a byte-order mark and line ends of Windows in .env and in the file', () => {
    const files = {
      '/srv/.env': '\ufeffALLOWED_DOMAINS=example.test\r\nPORT=9000\r\nDEV_MODE=true\r\n',
      '/srv/gatewarden.yaml': `\ufeffusers:\r\n  ann:\r\n    email: ann@example.com\r\n    password_hash: "${HASH}"\r\n`,
    }
    const { config } = load({ files })
    expect(config.listen.port).toBe(9000)
    expect(config.resources[0]?.allow.domains).toEqual(['example.test'])
    expect(config.users[0]?.email).toBe('ann@example.com')
  })
})
