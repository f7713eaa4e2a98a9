import { describe, expect, it } from 'vitest'
import { IDENTITY_HEADERS } from '../../src/check/identity-headers.ts'
import { load, NOW, problemsOf } from './harness.ts'

const config = (env: Record<string, string>, yaml = '') => load({ env, yaml }).config
const problems = (env: Record<string, string>) => problemsOf(() => load({ env }))

describe('CLIENT_REGISTRATION', () => {
  it('is open unless set', () => {
    expect(config({}).registration).toBe('open')
    expect(config({ CLIENT_REGISTRATION: 'OFF' }).registration).toBe('off')
    const empty = 'client_registration: []\n'
    expect(config({}, empty).registration).toBe('off')
    expect(config({}, empty).clientMetadata.hosts.allowed).toEqual([])
    expect(load({ yaml: empty }).warnings).toEqual([
      'CLIENT_REGISTRATION: lists nothing, so no client may register. Write off to say so, or remove it to let any register.',
    ])
  })

  it('takes hosts as URLs have them, and app schemes with a colon', () => {
    const list = 'Claude.ai,localhost,[::1],app.example:8443,other.example:443,Cursor:'
    expect(config({ CLIENT_REGISTRATION: list }).registration).toEqual([
      'claude.ai',
      'localhost',
      '[::1]',
      'app.example:8443',
      'other.example',
      'cursor:',
    ])
  })

  it.each(['https://claude.ai', 'claude.ai/cb', '*.claude.ai', 'user@claude.ai', 'a b', '::1'])(
    'refuses %s',
    (value) => {
      expect(problems({ CLIENT_REGISTRATION: value })).toEqual([
        `CLIENT_REGISTRATION: "${value}" is neither open, off, a host nor the scheme of an app. Write it like claude.ai, localhost or cursor:.`,
      ])
    },
  )

  it.each([
    ['https:', 'allows every web site. Write the hosts, like claude.ai.'],
    [
      'javascript:',
      'is a scheme that browsers or systems use themselves, so no client may have it. Remove it.',
    ],
  ])('refuses the scheme %s', (value, problem) => {
    expect(problems({ CLIENT_REGISTRATION: value })).toEqual([
      `CLIENT_REGISTRATION: "${value}" ${problem}`,
    ])
  })

  it.each(['localhost:3000', '[::1]:80', '127.0.0.1:8080'])(
    'refuses %s: any port is meant',
    (value) => {
      expect(problems({ CLIENT_REGISTRATION: value })).toEqual([
        `CLIENT_REGISTRATION: "${value}" names a port, but programs on this machine use any port. Write the host without it.`,
      ])
    },
  )

  it.each([
    ['on', 'open'],
    ['true', 'open'],
    ['Yes', 'open'],
    ['*', 'open'],
    ['false', 'off'],
    ['none', 'off'],
    ['closed', 'off'],
    ['disabled', 'off'],
  ])('refuses %s, which as a host would let no client register: %s is meant', (value, meant) => {
    expect(problems({ CLIENT_REGISTRATION: value })).toEqual([
      `CLIENT_REGISTRATION: "${value}" would be a host. Write ${meant}.`,
    ])
  })

  it('warns of a host that may be meant as a scheme', () => {
    const { warnings } = load({ env: { CLIENT_REGISTRATION: 'claude.ai,cursor,localhost' } })
    expect(warnings).toEqual([
      'CLIENT_REGISTRATION: cursor counts as a host. If it is the scheme of an app, write cursor: with a colon.',
    ])
  })

  it('is a word alone, or a list', () => {
    expect(problems({ CLIENT_REGISTRATION: 'open,claude.ai' })).toEqual([
      'CLIENT_REGISTRATION: open lets clients of every host register, so a host beside it says nothing. Remove open or the hosts; app schemes may stay.',
    ])
    expect(problems({ CLIENT_REGISTRATION: 'off,myapp:' })).toEqual([
      'CLIENT_REGISTRATION: off cannot stand in a list. Write it alone.',
    ])
  })

  it('cl3: opens further app schemes, beside open or in a list', () => {
    expect(config({ CLIENT_REGISTRATION: 'open,MyApp:' }).registration).toEqual(['open', 'myapp:'])
    expect(config({ CLIENT_REGISTRATION: 'localhost,myapp:' }).registration).toEqual([
      'localhost',
      'myapp:',
    ])
  })

  it.each(
    'javascript data vbscript blob file about view-source intent mailto ftp ws wss tel ms-msdt search-ms chrome-extension javascript.app'.split(
      ' ',
    ),
  )('cl3: at14: never opens %s:', (scheme) => {
    expect(problems({ CLIENT_REGISTRATION: `open,${scheme}:` })).toEqual([
      `CLIENT_REGISTRATION: "${scheme}:" is a scheme that browsers or systems use themselves, so no client may have it. Remove it.`,
    ])
  })
})

describe('CLIENT_LIFETIME', () => {
  it('is never unless set', () => {
    expect(config({})).not.toHaveProperty('clientLifetime')
    expect(config({ CLIENT_LIFETIME: 'never' })).not.toHaveProperty('clientLifetime')
    expect(config({ CLIENT_LIFETIME: '90d' }).clientLifetime).toBe(90 * 86_400)
    // sn15: 0 is what other systems write for it.
    expect(config({ CLIENT_LIFETIME: '0' })).not.toHaveProperty('clientLifetime')
    expect(problems({ CLIENT_LIFETIME: '-1s' })).toHaveLength(1)
  })
})

describe('REVOKE_BEFORE', () => {
  it.each([
    ['2026-11-21', Date.UTC(2026, 10, 21)],
    ['2026-11-21T10:30:00Z', Date.UTC(2026, 10, 21, 10, 30)],
    ['2026-11-21t10:30z', Date.UTC(2026, 10, 21, 10, 30)],
    ['2026-11-21 12:30:00+02:00', Date.UTC(2026, 10, 21, 10, 30)],
    ['2026-11-21T10:30:00.001Z', Date.UTC(2026, 10, 21, 10, 30, 1)],
    ['1700000000', 1_700_000_000_000],
    [String(NOW / 1000), NOW],
  ])('reads %s', (value, milliseconds) => {
    expect(config({ REVOKE_BEFORE: value }).revokeBefore).toBe(milliseconds / 1000)
  })

  it('reads a bare date and a number in the file', () => {
    expect(config({}, 'revoke_before: 2026-01-01\n').revokeBefore).toBe(Date.UTC(2026, 0, 1) / 1000)
    expect(config({}, 'revoke_before: 1700000000\n').revokeBefore).toBe(1_700_000_000)
  })

  it.each([
    'yesterday',
    '2026-02-31',
    '2026-13-01',
    '2026-11-21T10:30:00',
    '2026-11-21T25:00Z',
    '-1',
  ])('refuses %s', (value) => {
    expect(problems({ REVOKE_BEFORE: value })).toEqual([
      'REVOKE_BEFORE: is not a point in time. Write it like 2026-01-31, 2026-01-31T12:00:00Z or 2026-01-31T12:00:00+02:00.',
    ])
  })

  it('takes a present read from a clock that is a minute ahead', () => {
    expect(problems({ REVOKE_BEFORE: '2026-11-21T12:01:00Z' })).toEqual([])
  })

  it.each(['2026-11-21T12:01:01Z', '1700000000000'])('refuses the future: %s', (value) => {
    expect(problems({ REVOKE_BEFORE: value })).toEqual([
      'REVOKE_BEFORE: is in the future. Set it to now or a past time; if it is a number, write seconds, not milliseconds.',
    ])
  })
})

describe('IDENTITY_HEADERS', () => {
  it('is every header of ours unless set', () => {
    expect(config({}).identityHeaders).toEqual(IDENTITY_HEADERS)
  })

  it('takes our own by name, and any other with its value', () => {
    const list = 'x-forwarded-email, X-Auth-Request-User = X-Forwarded-User,X-Remote-Id=id'
    expect(config({ IDENTITY_HEADERS: list }).identityHeaders).toEqual({
      'x-forwarded-email': 'email',
      'X-Auth-Request-User': 'user',
      'X-Remote-Id': 'id',
    })
  })

  it('takes a map in the file', () => {
    const yaml = 'identity_headers: { X-Remote-User: user, X-Remote-Groups: groups }\n'
    expect(config({}, yaml).identityHeaders).toEqual({
      'X-Remote-User': 'user',
      'X-Remote-Groups': 'groups',
    })
    const { sources } = load({ yaml })
    expect(sources.find(({ setting }) => setting === 'IDENTITY_HEADERS')?.value).toBe(
      'X-Remote-User=user, X-Remote-Groups=groups',
    )
  })

  it.each([
    'Authorization',
    'Cookie',
    'Set-Cookie',
    'Host',
    'Content-Length',
    'content-type',
    'Connection',
    'Transfer-Encoding',
    'TE',
    'Upgrade',
    'Proxy-Authorization',
    'X-Forwarded-For',
    'X-Forwarded-Uri',
    'X-Original-Url',
    'Forwarded',
    'Mcp-Session-Id',
    'WWW-Authenticate',
    'Access-Control-Allow-Origin',
    'Vary',
    'Cache-Control',
    'CDN-Loop',
    'DPoP',
    'Signature',
    'Client-Cert',
    'Last-Event-ID',
    'Max-Forwards',
    'Early-Data',
    'Prefer',
    'Destination',
    'X-HTTP-Method-Override',
    'X-Accel-Redirect',
    'Service-Worker',
    'Traceparent',
  ])('refuses %s, which already has another meaning', (name) => {
    expect(problems({ IDENTITY_HEADERS: `${name}=user` })).toEqual([
      `IDENTITY_HEADERS: "${name}" already has another meaning. Choose another header, like X-Remote-User.`,
    ])
    // The one that a token belongs in.
    if (name === 'Authorization') return
    expect(problems({ UPSTREAM_PROVIDER_TOKEN: name })).toContainEqual(
      `UPSTREAM_PROVIDER_TOKEN: "${name}" already has another meaning. Choose another header, like X-Provider-Token.`,
    )
  })

  it.each([
    'X_User=user',
    'X.User=user',
    'X User=user',
    '=user',
    'X-A=user=b',
    'X-Ü=user',
    '__proto__=id',
  ])('refuses %s, which not every server reads as the same header', (value) => {
    expect(problems({ IDENTITY_HEADERS: value })).toEqual([
      `IDENTITY_HEADERS: "${value}" is not the name of a header. Use letters, digits and dashes, like X-Remote-User=user.`,
    ])
  })

  it.each([
    ['X-Remote-User', '"X-Remote-User" does not say what to send.'],
    ['X-Remote-User=sub', '"sub" does not say what to send.'],
    ['X-Remote-User=', '"" does not say what to send.'],
    ['X-User-Id,x-user-id=name', 'lists x-user-id twice. Remove the duplicate.'],
  ])('refuses %s', (value, problem) => {
    expect(problems({ IDENTITY_HEADERS: value })).toEqual([expect.stringContaining(problem)])
  })
})

describe('RATE_LIMIT', () => {
  it('is 600 unless set', () => {
    expect(config({}).rateLimit).toBe(600)
    expect(config({ RATE_LIMIT: '0' }).rateLimit).toBe(0)
    expect(problems({ RATE_LIMIT: '10/s' })).toEqual([
      'RATE_LIMIT: "10/s" is not a number of requests per minute. Write it like 600, or 0 for no limit.',
    ])
  })
})
