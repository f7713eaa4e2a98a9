import { describe, expect, it } from 'vitest'
import { load, loadYaml, problemsOf } from './harness.ts'

const list = (value: string) => load({ env: { RESOURCES: value } }).config.resources
const listProblems = (value: string) => problemsOf(() => load({ env: { RESOURCES: value } }))
/** A file whose resources are `entries`, open to example.com. */
const file = (entries: string) =>
  `allow: { domains: [example.com] }\nresources:\n${entries
    .split('\n')
    .map((line) => `  ${line}\n`)
    .join('')}`
const mapped = (entries: string) => loadYaml(file(entries)).config.resources
const mapProblems = (entries: string) => problemsOf(() => loadYaml(file(entries)))

describe('the URL of a resource', () => {
  it.each([
    ['HTTPS://MCP.Example.com/Notes', 'https://mcp.example.com/Notes'],
    ['https://mcp.example.com./mcp', 'https://mcp.example.com/mcp'],
    ['https://mcp.example.com:443/mcp', 'https://mcp.example.com/mcp'],
    ['http://mcp.example.com:80/mcp', 'http://mcp.example.com/mcp'],
    ['https://mcp.example.com:8443/mcp', 'https://mcp.example.com:8443/mcp'],
    ['https://mcp.example.com/mcp/', 'https://mcp.example.com/mcp'],
    ['https://mcp.example.com/', 'https://mcp.example.com'],
    ['https://mcp.example.com/%61dmin/%C3%a4', 'https://mcp.example.com/admin/%C3%A4'],
    ['https://*.Labs.example.com', 'https://*.labs.example.com'],
    ['http://[::1]:3000/mcp', 'http://[::1]:3000/mcp'],
  ])('has one spelling: %s', (given, url) => {
    expect(list(given)[0]?.url).toBe(url)
  })

  it.each([
    ['ws://mcp.example.com', /is not an http or https URL/],
    ['mcp.example.com/mcp', /is not an http or https URL/],
    ['https://mcp.example.com/mcp?x=1', /has a query or fragment/],
    ['https://mcp.example.com/mcp#x', /has a query or fragment/],
    ['https://ann@mcp.example.com', /holds a user name or password/],
    ['https://mcp.example.com/a/../b', /can be read in two ways/],
    ['https://mcp.example.com/a//b', /can be read in two ways/],
    ['https://mcp.example.com/a%2fb', /can be read in two ways/],
    ['https://mcp.example.com/a;b', /can be read in two ways/],
    ['https://mcp.example.com/ä', /can be read in two ways/],
    ['https://*.com', /is too wide/],
    ['https://*', /is too wide/],
    ['https://mcp.*.example.com', /not a whole first label/],
    ['https://*mcp.example.com', /not a whole first label/],
    ['https://*.*.example.com', /not a whole first label/],
  ])('is refused as RESOURCES: %s', (given, problem) => {
    expect(listProblems(given)).toEqual([expect.stringMatching(/^RESOURCES: /)])
    expect(listProblems(given)[0]).toMatch(problem)
  })

  it('is refused in the file by its full name', () => {
    expect(mapProblems('notes: { url: mcp }')).toEqual([
      'resources.notes.url: "mcp" is not an http or https URL. Write it like https://mcp.example.com/mcp.',
    ])
    expect(mapProblems('notes: { name: Notes }')).toEqual([
      'resources.notes.url: is missing. Write a value.',
    ])
  })
})

describe('a flat list of resources', () => {
  it('makes ids and names from host and path', () => {
    const made = list('https://mcp.example.com/notes/mcp,https://*.labs.example.com')
    expect(made.map(({ id, name }) => [id, name])).toEqual([
      ['mcp-example-com-notes-mcp', 'mcp.example.com/notes/mcp'],
      ['any-labs-example-com', '*.labs.example.com'],
    ])
  })

  it('makes ids that are unique, short enough and independent of the order', () => {
    const urls = [
      'https://mcp.example.com/a/b',
      'https://mcp.example.com/a-b',
      `https://mcp.example.com/${'x'.repeat(100)}`,
    ]
    const ids = (order: string[]) =>
      Object.fromEntries(list(order.join(',')).map(({ id, url }) => [url, id]))
    const made = ids(urls)
    expect(new Set(Object.values(made)).size).toBe(3)
    expect(Object.values(made).every((id) => /^[A-Za-z0-9._-]{1,64}$/.test(id))).toBe(true)
    expect(ids(urls.toReversed())).toEqual(made)
  })

  it('names every bad entry, not only the first', () => {
    expect(listProblems('a,https://mcp.example.com,b')).toHaveLength(2)
  })
})

describe('resources as a whole', () => {
  it('sa2: are every host beside ours where nothing names one, and a line says so', () => {
    const withoutList = (env: Record<string, string | undefined>) =>
      load({ env: { RESOURCES: undefined, PUBLIC_URL: undefined, ...env } })
    for (const [host, url] of [
      ['oauth.example.com', 'https://*.example.com'],
      ['oauth.apps.example.com', 'https://*.apps.example.com'],
      ['oauth.example.co.uk', 'https://*.example.co.uk'],
      ['oauth.example.com:8443', 'https://*.example.com:8443'],
    ] as const) {
      const { config, warnings } = withoutList({ OAUTH_DOMAIN: host })
      expect(config.resources.map((resource) => resource.url)).toEqual([url])
      expect(warnings).toContainEqual(
        `RESOURCES: is not set, so every other host of the domain is a protected server, as RESOURCES=${url} says. Write that line, or the URLs of fewer servers.`,
      )
    }
  })

  it('must be at least one, and the problem holds a line to add', () => {
    const problems = (env: Record<string, string | undefined>) =>
      problemsOf(() => load({ env: { RESOURCES: undefined, ...env } }))
    const suggested = (env: Record<string, string | undefined>) =>
      /RESOURCES=(\S+)/.exec(problems(env)[0] ?? '')?.[1]
    expect(problems({ PUBLIC_URL: 'https://example.com' })).toEqual([
      'RESOURCES: is not set, so nothing is protected. Add the URLs of your MCP servers, such as RESOURCES=https://*.example.com for every server under example.com.',
    ])
    // ed13: hosts beside these may be strangers', so neither is one implied nor a suffix suggested.
    for (const [host, url] of [
      ['example.co.uk', 'https://*.example.co.uk'],
      ['a.duckdns.org', 'https://*.a.duckdns.org'],
      ['a.github.io', 'https://*.a.github.io'],
    ]) {
      expect(suggested({ PUBLIC_URL: undefined, OAUTH_DOMAIN: host })).toBe(url)
    }
    expect(suggested({ OAUTH_DOMAIN: 'x.test:80', PUBLIC_URL: undefined, DEV_MODE: 'TRUE' })).toBe(
      'http://*.x.test',
    )
    for (const here of ['http://127.0.0.1', 'http://localhost:8000', 'http://[::1]:8000']) {
      expect(problems({ PUBLIC_URL: here })[0]).toContain('RESOURCES=http://localhost:8080/mcp')
    }
    // A list without an entry is no missing list.
    expect(problemsOf(() => loadYaml('allow: { emails: ["*"] }\nresources: {}\n'))).toHaveLength(1)
    expect(problems({ PUBLIC_URL: 'https://auth.example.com', RESOURCES: ',' })).not.toEqual([])
  })

  it.each([
    ['https://mcp.example.com/mcp,http://MCP.example.com:80/mcp/'],
    ['https://mcp.example.com,https://mcp.example.com./'],
    ['https://*.labs.example.com,http://*.labs.example.com'],
  ])('may not cover the same host and path twice: %s', (value) => {
    expect(listProblems(value)).toEqual([
      expect.stringMatching(
        /^RESOURCES: .+ belongs to RESOURCES already\. Change or remove one\.$/,
      ),
    ])
  })

  it.each([
    ['https://mcp.example.com/@a,https://mcp.example.com/%40a', 'mcp.example.com/@a'],
    ['https://mcp.example.com/notes,https://mcp.example.com/Notes', 'mcp.example.com/notes'],
  ])('may not differ by their spelling alone: %s', (value, first) => {
    expect(listProblems(value)).toEqual([
      expect.stringContaining(`reads like ${first}, which belongs to RESOURCES already.`),
    ])
  })

  it('may have one path in two spellings', () => {
    const yaml = 'a: { url: https://mcp.example.com/sse, also: [/messages, /Messages] }'
    expect(mapProblems(yaml)).toEqual([])
  })

  it('may nest', () => {
    expect(list('https://mcp.example.com,https://mcp.example.com/notes')).toHaveLength(2)
  })

  it('may not share a path of `also`', () => {
    expect(
      mapProblems(
        'a: { url: https://mcp.example.com/a, also: [/b] }\nb: { url: https://mcp.example.com/b }',
      ),
    ).toEqual([
      'resources.b.url: mcp.example.com/b belongs to resources.a.also already. Change or remove one.',
    ])
  })

  it.each([
    ['another server', 'https://b.example.com/mcp', 'b.example.com/mcp', 'b.url'],
    ['its own URL', 'https://a.example.com:443/', 'a.example.com', 'a.url'],
  ])('may not name %s as one more address', (_what, alias, place, owner) => {
    expect(
      mapProblems(
        `b: { url: https://b.example.com/mcp }\na: { url: https://a.example.com, aliases: [${alias}] }`,
      ),
    ).toEqual([
      `resources.a.aliases: ${place} belongs to resources.${owner} already. Change or remove one.`,
    ])
  })

  it('may have more addresses on its own host and on others, each with its `also` paths', () => {
    const yaml =
      'a: { url: https://a.example.com/sse, also: [/messages], aliases: [http://a:11000/sse, https://a.example.com/old] }'
    expect(mapProblems(yaml)).toEqual([])
    expect(mapProblems(`${yaml}\nb: { url: http://a:11000/messages }`)).toEqual([
      'resources.b.url: a:11000/messages belongs to resources.a.also already. Change or remove one.',
    ])
  })

  it.each([
    [
      'a wildcard',
      'url: https://a.example.com, aliases: ["https://*.example.org"]',
      'is a wildcard',
    ],
    ['no URL', 'url: https://a.example.com, aliases: [gatewarden:11000]', 'is not an http'],
    [
      'one of a wildcard',
      'url: "https://*.example.com", aliases: ["https://a.example.org"]',
      'is set for a wildcard',
    ],
  ])('may not have %s as one more address', (_what, entry, problem) => {
    expect(mapProblems(`a: { ${entry} }`)).toEqual([
      expect.stringMatching(new RegExp(`^resources\\.a\\.aliases: .*${problem}`)),
    ])
  })

  it('may have one default, which is not a wildcard', () => {
    const two =
      'a: { url: https://a.example.com, default: true }\nb: { url: https://b.example.com, default: true }'
    expect(mapProblems(two)).toEqual([
      'resources.b.default: is also set for a. Keep one of the two.',
    ])
    expect(mapProblems('a: { url: https://*.example.com, default: true }')).toEqual([
      'resources.a.default: is set for a wildcard, which is not a single server. Set it for another resource.',
    ])
    expect(mapped('a: { url: https://a.example.com, default: true }')[0]?.isDefault).toBe(true)
  })
})

describe('a resource in the file', () => {
  it('is taken whole', () => {
    const [notes] = mapped(
      [
        'notes:',
        '  url: https://mcp.example.com/notes/mcp',
        '  name: Team notes',
        '  scopes: { "notes:read": Read your notes, "notes:write": Change your notes }',
        '  required_scopes: [notes:read]',
        '  default_scopes: [notes:read, notes:write]',
        '  also: [/notes/messages/]',
        '  allow: { domains: ["@Partner.org"], groups: [staff], emails: [Ann@partner.org] }',
        '  upstream: http://notes:3000/mcp/',
      ].join('\n'),
    )
    expect(notes).toEqual({
      id: 'notes',
      url: 'https://mcp.example.com/notes/mcp',
      name: 'Team notes',
      scopes: { 'notes:read': 'Read your notes', 'notes:write': 'Change your notes' },
      requiredScopes: ['notes:read'],
      defaultScopes: ['notes:read', 'notes:write'],
      also: ['/notes/messages'],
      isDefault: false,
      acceptProviderTokens: false,
      allow: {
        anyone: false,
        emails: ['ann@partner.org'],
        domains: ['partner.org'],
        groups: ['staff'],
      },
      upstream: 'http://notes:3000/mcp/',
    })
  })

  it.each([
    [
      'notes: { url: https://a.example.com, urll: x }',
      'resources.notes.urll: is not a setting. Did you mean url?',
    ],
    [
      '"a/b": { url: https://a.example.com }',
      'resources.a/b: is not an id. Use 1 to 64 letters, digits, dots, dashes and underscores.',
    ],
    [
      '"..": { url: https://a.example.com }',
      'resources...: is not an id. Use 1 to 64 letters, digits, dots, dashes and underscores.',
    ],
    [
      'a: { url: https://a.example.com, also: [messages] }',
      'resources.a.also: "messages" is not an absolute path. Write it like /messages.',
    ],
    [
      'a: { url: https://a.example.com, also: [/] }',
      'resources.a.also: / covers the whole host. Make the host itself the resource: leave the path out of its url.',
    ],
    [
      'a: { url: https://a.example.com, upstream: notes:3000 }',
      'resources.a.upstream: "notes:3000" is not an http or https URL. Write it like http://notes:3000/mcp.',
    ],
    [
      'a: { url: https://a.example.com, upstream: "http://*.example.com" }',
      'resources.a.upstream: "http://*.example.com" is a wildcard. Write the one server that requests go to.',
    ],
    [
      'a: { url: https://a.example.com, name: "" }',
      'resources.a.name: cannot be shown on one line. Write 1 to 200 characters without line breaks.',
    ],
  ])('is refused when wrong: %s', (entry, problem) => {
    expect(mapProblems(entry)).toEqual([problem])
  })
})

describe('UPSTREAM_URL', () => {
  const env = { UPSTREAM_URL: 'http://notes:3000/' }

  it('makes Gatewarden the reverse proxy of the only resource', () => {
    expect(load({ env }).config.resources[0]?.upstream).toBe('http://notes:3000')
    expect(
      loadYaml(file('a: { url: https://a.example.com }'), { env }).config.resources[0],
    ).toMatchObject({ id: 'a', upstream: 'http://notes:3000' })
  })

  it('needs exactly one resource', () => {
    const two = { ...env, RESOURCES: 'https://a.example.com,https://b.example.com' }
    expect(problemsOf(() => load({ env: two }))).toEqual([
      'UPSTREAM_URL: needs exactly one resource, but there are 2. Give each its own upstream in gatewarden.yaml.',
    ])
  })

  it('conflicts with an upstream of the resource', () => {
    const yaml = file('a: { url: https://a.example.com, upstream: "http://a:1" }')
    expect(problemsOf(() => loadYaml(yaml, { env }))).toEqual([
      'UPSTREAM_URL: conflicts with resources.a.upstream. Remove one of the two.',
    ])
  })

  it('never shows a password in it', () => {
    const problems = problemsOf(() => load({ env: { UPSTREAM_URL: 'http://a:hunter2@notes/?x' } }))
    expect(problems).toHaveLength(1)
    expect(problems.join()).not.toContain('hunter2')
  })
})
