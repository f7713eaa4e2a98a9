/**
 * Identifiers have one normal form, from the setting to the person of a provider (cases at7 and ed12, threat T41).
 *
 * @module
 */
import { domainToASCII } from 'node:url'
import { expect, it } from 'vitest'
import { parseDomain } from '../../src/config/values/people.ts'
import { parsePublicUrl } from '../../src/config/values/urls.ts'
import { compileOrigins } from '../../src/http/origins.ts'
import { createHostedDomains } from '../../src/providers/hosted-domains.ts'
import { compilePolicy } from '../../src/resources/policy.ts'
import { normalizeHost } from '../../src/url/host.ts'
import { HASH, load, problemsOf } from '../config/harness.ts'
import { createBrowser } from '../support/browser.ts'
import { ANN, buildTestApp, resource } from '../support/build-app.ts'
import { authorizeUrl, register, signIn } from '../support/oauth-client.ts'
import { signInThere, startJourney } from '../support/provider-journey.ts'

/** Letters that Unicode's lower case or compatibility forms turn into ASCII ones. */
const LOOK_ALIKES = {
  'KELVIN SIGN U+212A': ['\u212a', 'k'],
  'I WITH DOT U+0130': ['\u0130', 'i'],
  'DOTLESS I U+0131': ['\u0131', 'i'],
  'LONG S U+017F': ['\u017f', 's'],
  'FULLWIDTH K U+FF2B': ['\uff2b', 'k'],
  'FULLWIDTH k U+FF4B': ['\uff4b', 'k'],
} as const

/** The list that these settings make. */
const allowOf = (env: Readonly<Record<string, string>>) => {
  const [first] = load({ env: { ALLOWED_EMAILS: undefined, ...env } }).config.resources
  if (!first) throw new Error('no resource')
  return first.allow
}

/** True if a person of a provider passes a list. */
async function passes(
  env: Readonly<Record<string, string>>,
  person: { email?: string; groups?: readonly string[] },
): Promise<boolean> {
  const journey = await startJourney({ resources: [resource({ allow: allowOf(env) })] })
  journey.provider.person = { sub: 'somebody', email_verified: true, ...person }
  const answer = await signInThere(journey)
  return answer.statusCode === 302
}

it.each(Object.entries(LOOK_ALIKES))(
  'at7: T41: %s passes for no other letter in a local part, a domain or a group',
  async (_name, [strange, plain]) => {
    const env = {
      ALLOWED_EMAILS: `${plain}.bob@example.test`,
      ALLOWED_DOMAINS: `${plain}elvin.example.test`,
      ALLOWED_GROUPS: `${plain}taff`,
    }
    expect(await passes(env, { email: `${plain.toUpperCase()}.Bob@Example.test` })).toBe(true)
    expect(await passes(env, { email: `${strange}.bob@example.test` })).toBe(false)
    expect(await passes(env, { email: `alice@${strange}elvin.example.test` })).toBe(false)
    expect(await passes(env, { groups: [`${strange}taff`] })).toBe(false)
  },
)

it('ed12: a mail domain in either spelling is the same domain in a list and at the provider', async () => {
  for (const listed of ['b\u00fccher.example', 'B\u00dcCHER.example', 'xn--bcher-kva.example']) {
    for (const stated of [
      'b\u00fccher.example',
      'xn--bcher-kva.example',
      'XN--Bcher-KVA.example',
    ]) {
      expect(await passes({ ALLOWED_DOMAINS: listed }, { email: `a@${stated}` })).toBe(true)
      expect(await passes({ ALLOWED_EMAILS: `a@${listed}` }, { email: `A@${stated}` })).toBe(true)
    }
  }
})

it('ed12: a domain of a provider that would have to be mapped matches nothing, not even itself', async () => {
  for (const stated of [
    'B\u00dcCHER.example',
    'bu\u0308cher.example',
    'b\u00fccher\u3002example',
    '\uff42\u00fccher.example',
  ]) {
    const env = { ALLOWED_DOMAINS: stated, ALLOWED_EMAILS: `a@${stated}` }
    expect(allowOf(env).domains).toEqual(['xn--bcher-kva.example'])
    expect(await passes(env, { email: `a@${stated}` })).toBe(false)
  }
  const hyphened = { email: 'a@b\u00fc\u00adcher.example' }
  expect(await passes({ ALLOWED_DOMAINS: 'b\u00fccher.example' }, hyphened)).toBe(false)
})

it('ed12: every setting with a host takes both spellings and keeps the A-label', () => {
  const written = 'B\u00dccher.example'
  const { config } = load({
    env: {
      PUBLIC_URL: `https://auth.${written}`,
      RESOURCES: `https://*.${written},https://mcp.${written}/mcp`,
      COOKIE_DOMAIN: written,
      ALLOWED_EMAILS: `Ann@${written}`,
      ALLOWED_DOMAINS: `@${written}`,
      ALLOWED_ORIGINS: `https://app.${written}`,
      CLIENT_REGISTRATION: `app.${written}`,
    },
    files: {
      '/srv/gatewarden.yaml': `users: { ann: { email: ann@${written}, password_hash: "${HASH}" } }`,
    },
  })
  const label = 'xn--bcher-kva.example'
  expect(config).toMatchObject({
    publicUrl: { origin: `https://auth.${label}` },
    resources: [
      { url: `https://*.${label}`, allow: { emails: [`ann@${label}`], domains: [label] } },
      { url: `https://mcp.${label}/mcp` },
    ],
    cookieDomain: label,
    allowedOrigins: [`https://app.${label}`],
    registration: [`app.${label}`],
    users: [{ email: `ann@${label}` }],
  })
})

it('ed12: the same URL is read each time, also once the parser is compiled', () => {
  for (let round = 0; round < 30_000; round += 1) {
    expect(parsePublicUrl('https://auth.b\u00fccher.example').host).toBe(
      'auth.xn--bcher-kva.example',
    )
  }
})

it('ed12: the settings of a provider take both spellings, too', () => {
  const provider = (env: Record<string, string>) =>
    load({
      env: { CLIENT_ID: 'x', CLIENT_SECRET: 'y', ...env },
      files: { '/srv/gatewarden.yaml': '' },
    }).config.provider
  expect(
    provider({ PROVIDER: 'google', GOOGLE_HOSTED_DOMAIN: 'b\u00fccher.example' }),
  ).toMatchObject({ hostedDomains: ['xn--bcher-kva.example'] })
  expect(
    provider({ PROVIDER: 'keycloak', KEYCLOAK_AUTH_HOST: 'id.B\u00fccher.example' }),
  ).toMatchObject({ issuerUrl: 'https://id.xn--bcher-kva.example:8080/realms/master' })
})

it('at7: the hosted domain of a Google account is compared in the same form', () => {
  const { admit } = createHostedDomains(['kelvin.example', 'xn--bcher-kva.example'])
  for (const hd of ['Kelvin.Example', 'b\u00fccher.example', 'XN--bcher-kva.example']) {
    expect(() => admit({ hd })).not.toThrow()
  }
  for (const hd of ['\u212aelvin.example', 'B\u00dcCHER.example', '', null, ['kelvin.example']]) {
    expect(() => admit({ hd })).toThrow('GOOGLE_HOSTED_DOMAIN')
  }
})

it('at7: a name of the built-in login is typed in any case of A to Z, and its letters have no look-alikes', async () => {
  const users = [
    { ...ANN, name: 'Kim', email: 'kim@xn--bcher-kva.example' },
    { ...ANN, name: '\u212aim', email: 'other@example.com' },
  ]
  const { app } = await buildTestApp({
    users,
    resources: [resource({ allow: allowOf({ ALLOWED_EMAILS: 'kim@b\u00fccher.example' }) })],
  })
  const url = authorizeUrl(await register(app))
  const status = async (name: string) =>
    (await signIn(createBrowser(app), url, { name })).statusCode
  for (const name of ['kim', 'KIM', ' kim ', 'Kim@B\u00fccher.example'.replace('B', 'b')]) {
    expect([name, await status(name)]).toEqual([name, 303])
  }
  // The other person signs in, and is on no list.
  expect(await status('\u212aIM')).toBe(403)
  expect(await status('\uff4bim')).toBe(401)
})

it('at7: two built-in users whose names differ by a look-alike are two people', () => {
  const users = (other: string) =>
    problemsOf(() =>
      load({
        files: {
          '/srv/gatewarden.yaml': `users: { kim: { password_hash: "${HASH}" }, ${other}: { password_hash: "${HASH}" } }`,
        },
      }),
    )
  expect(users('\u212aim')).toEqual([])
  expect(users('KIM')).toEqual([
    'users.KIM: means the same person as users.kim. Change or remove one.',
  ])
})

it('at7: hosts and origins have no look-alikes', () => {
  for (const [strange, plain] of Object.values(LOOK_ALIKES)) {
    expect(normalizeHost(`${plain.toUpperCase()}.example`)).toBe(`${plain}.example`)
    expect(normalizeHost(`${strange}.example`)).toBeUndefined()
    const allowed = compileOrigins([`${plain}app://x`], 'https://auth.example.com')
    expect(allowed(`${strange}app://x`, { origin: 'https://mcp.example.com' })).toBe(false)
  }
})

it('T41: no code point but the letter itself passes for a letter of a listed address', () => {
  const allow = allowOf({ ALLOWED_EMAILS: 'kis@kis.test', ALLOWED_DOMAINS: 'sik.test' })
  const passed = compilePolicy(allow)
  const others: string[] = []
  for (let code = 0; code <= 0xffff; code += 1) {
    const one = String.fromCodePoint(code)
    for (const [listed, email] of [
      ['k', `${one}is@kis.test`],
      ['k', `kis@${one}is.test`],
      ['s', `x@${one}ik.test`],
      ['.', `x@sik${one}test`],
      ['', `kis@k${one}is.test`],
    ] as const) {
      if (one.replace(/[A-Z]/, (letter) => letter.toLowerCase()) === listed) continue
      if (passed({ issuer: 'i', subject: 's', email, groups: [] }))
        others.push(JSON.stringify(email))
    }
  }
  expect(others).toEqual([])
})

it('ed12: each domain that a list accepts lets in a person of that domain, and is its own A-label', () => {
  for (let code = 0x21; code <= 0x2fff; code += 1) {
    const written = `a${String.fromCodePoint(code)}b.test`
    let domain: string
    try {
      domain = parseDomain(written)
    } catch {
      continue
    }
    expect(domainToASCII(domain)).toBe(domain)
    const passed = compilePolicy({ anyone: false, emails: [], domains: [domain], groups: [] })
    expect(passed({ issuer: 'i', subject: 's', email: `x@${domain}`, groups: [] })).toBe(true)
  }
})
