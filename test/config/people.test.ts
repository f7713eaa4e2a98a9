import { describe, expect, it } from 'vitest'
import { HASH, load, loadYaml, problemsOf } from './harness.ts'

const nobody = { ALLOWED_EMAILS: undefined }

describe('the people who may pass', () => {
  it('must be set: if nobody may pass, the problem names every way to fix it', () => {
    expect(problemsOf(() => load({ env: nobody }))).toEqual([
      'ALLOWED_EMAILS: is empty, as are ALLOWED_DOMAINS and ALLOWED_GROUPS, so nobody may pass. Set one of them; ALLOWED_EMAILS=* lets in anyone who can log in.',
    ])
  })

  it.each(['ALLOWED_EMAILS', 'ALLOWED_DOMAINS', 'ALLOWED_GROUPS'])(
    'are all who can log in with * in %s',
    (name) => {
      expect(load({ env: { ...nobody, [name]: '*' } }).config.resources[0]?.allow).toEqual({
        anyone: true,
        emails: [],
        domains: [],
        groups: [],
      })
    },
  )

  it.each(['ALLOWED_EMAILS', 'ALLOWED_DOMAINS', 'ALLOWED_GROUPS', 'ALLOWED_USERS'])(
    'are never everybody because of a * beside others in %s',
    (name) => {
      const others = name === 'ALLOWED_EMAILS' ? 'ann@example.com' : 'example.com'
      for (const value of [`*,${others}`, `${others}, *`]) {
        expect(problemsOf(() => load({ env: { ...nobody, [name]: value } }))).toEqual([
          expect.stringMatching(`^${name}: "\\*" lets in anyone who can log in, but `),
        ])
      }
      expect(problemsOf(() => load({ env: { ...nobody, [name]: '*,*' } }))).toEqual([])
    },
  )

  it('are lower-cased where case has no meaning', () => {
    const env = {
      ALLOWED_EMAILS: 'Ann@Example.com',
      ALLOWED_DOMAINS: '@Example.COM',
      ALLOWED_GROUPS: '/Staff',
    }
    expect(load({ env }).config.resources[0]?.allow).toEqual({
      anyone: false,
      emails: ['ann@example.com'],
      domains: ['example.com'],
      groups: ['/Staff'],
    })
  })

  it("are on the resource's own list instead of the global one", () => {
    const yaml =
      'allow: { domains: [example.com] }\nresources:\n  a: { url: https://a.example.com, allow: { groups: [staff] } }\n'
    expect(loadYaml(yaml).config.resources[0]?.allow).toMatchObject({
      domains: [],
      groups: ['staff'],
    })
  })

  it('need no global list if every resource has its own list, and need one otherwise', () => {
    const own = 'resources:\n  a: { url: https://a.example.com, allow: { groups: [staff] } }\n'
    expect(problemsOf(() => loadYaml(own))).toEqual([])
    expect(problemsOf(() => loadYaml(`${own}  b: { url: https://b.example.com }\n`))).toEqual([
      expect.stringMatching(/^ALLOWED_EMAILS: is empty, .* so nobody may pass\./),
    ])
  })

  it.each(['{}', '{ emails: [] }'])('cannot be an empty list of a resource: %s', (allow) => {
    const yaml = `allow: { emails: ["*"] }\nresources:\n  a: { url: https://a.example.com, allow: ${allow} }\n`
    expect(problemsOf(() => loadYaml(yaml))).toEqual([
      'resources.a.allow: lets nobody in. Add someone, or leave it out to use the global lists.',
    ])
  })

  it.each([
    ['ALLOWED_EMAILS', 'example.com'],
    ['ALLOWED_EMAILS', 'ann@evil.test@example.com'],
    ['ALLOWED_EMAILS', '@example.com'],
    ['ALLOWED_DOMAINS', 'ann@example.com'],
    ['ALLOWED_DOMAINS', '*.example.*'],
    ['ALLOWED_DOMAINS', '^example\\.com$'],
    ['ALLOWED_EMAILS', '.*@example.com'],
    ['ALLOWED_EMAILS', '^ann@example.com'],
    ['ALLOWED_DOMAINS', 'https://example.com'],
    ['ALLOWED_DOMAINS', 'example.com.'],
  ])('are checked: %s=%s', (name, value) => {
    expect(problemsOf(() => load({ env: { [name]: value } }))).toEqual([
      expect.stringMatching(new RegExp(`^${name}: ".+" is (?:not )?an? .+\\. Write it like `)),
    ])
  })

  it('sc12: may be all subdomains of a domain, and not those of a registry', () => {
    const env = (value: string) => ({ ALLOWED_DOMAINS: value })
    expect(load({ env: env('*.Example.com') }).config.resources[0]?.allow.domains).toEqual([
      '*.example.com',
    ])
    for (const wide of ['*.com', '*.co.uk', '*.github.io']) {
      expect(problemsOf(() => load({ env: env(wide) }))).toEqual([
        expect.stringContaining('people who have nothing to do with each other'),
      ])
    }
  })

  it('have no group with a control character', () => {
    expect(
      problemsOf(() => loadYaml('allow: { groups: ["a\\tb"] }\nresources: [https://a.b.c]\n')),
    ).toEqual([
      'allow.groups: "a\\tb" is not a group name. Write at most 256 characters, without control characters.',
    ])
  })
})

describe('users of the built-in login', () => {
  const withUsers = (users: string, files = {}) =>
    load({ files: { '/srv/gatewarden.yaml': `users:\n${users}\n`, ...files } })
  const problems = (users: string) => problemsOf(() => withUsers(users))

  it('are taken whole', () => {
    const { users } = withUsers(
      `  Ann: { email: Ann@example.com, name: Ann Lee, groups: [staff], password_hash: "${HASH}" }\n  bob: { password_hash: "${HASH}" }`,
    ).config
    expect(users).toEqual([
      {
        name: 'Ann',
        email: 'ann@example.com',
        displayName: 'Ann Lee',
        groups: ['staff'],
        passwordHash: HASH,
      },
      { name: 'bob', groups: [], passwordHash: HASH },
    ])
  })

  it('must be at least one, and the problem says how to add one', () => {
    expect(problemsOf(() => load({ files: { '/srv/gatewarden.yaml': '' } }))).toEqual([
      expect.stringMatching(/^users: PROVIDER is builtin, .*gatewarden hash-password/),
    ])
  })

  it('can have their hash in a file', () => {
    const users = '  ann: { password_hash_file: /run/ann }'
    expect(withUsers(users, { '/run/ann': `${HASH}\n` }).config.users[0]?.passwordHash).toBe(HASH)
    expect(problems(users)).toEqual([
      'users.ann.password_hash_file: there is no such file. Check the path.',
    ])
  })

  it.each([
    [
      '  ann: { email: a@b.c }',
      'users.ann.password_hash: is missing. Make one with: gatewarden hash-password.',
    ],
    [
      `  ann: { password_hash: "${HASH}", password_hash_file: x }`,
      'users.ann.password_hash: conflicts with password_hash_file. Remove one of the two.',
    ],
    [
      `  ann: { passwort_hash: "${HASH}" }`,
      'users.ann.passwort_hash: is not a setting. Did you mean password_hash?',
    ],
    [
      `  ann: { email: ann, password_hash: "${HASH}" }`,
      'users.ann.email: "ann" is not an e-mail address. Write it like ann@example.com.',
    ],
    [
      `  ann: { email: a@b@c, password_hash: "${HASH}" }`,
      'users.ann.email: "a@b@c" is not an e-mail address. Write it like ann@example.com.',
    ],
    [
      `  ann: { groups: ["a\\tb"], password_hash: "${HASH}" }`,
      'users.ann.groups: "a\\tb" is not a group name. Write at most 256 characters, without control characters.',
    ],
    [
      `  " ann": { password_hash: "${HASH}" }`,
      'users. ann: is not a name to sign in with. Use 1 to 128 characters without line breaks.',
    ],
  ])('are refused when wrong', (users, problem) => {
    expect(problems(users)).toContain(problem)
  })

  it.each([
    [`  ann: { password_hash: "${HASH}" }\n  Ann: { password_hash: "${HASH}" }`, 'users.Ann'],
    [
      `  ann: { email: a@b.c, password_hash: "${HASH}" }\n  bob: { email: A@b.c, password_hash: "${HASH}" }`,
      'users.bob.email',
    ],
    [
      `  ann: { email: a@b.c, password_hash: "${HASH}" }\n  a@b.c: { password_hash: "${HASH}" }`,
      'users.a@b.c',
    ],
  ])('are one person for one name or e-mail', (users, setting) => {
    expect(problems(users)).toEqual([
      `${setting}: means the same person as users.ann. Change or remove one.`,
    ])
  })

  it('may have an e-mail address for a name', () => {
    expect(problems(`  a@b.c: { email: a@b.c, password_hash: "${HASH}" }`)).toEqual([])
  })

  it.each([
    ['hunter2-hunter2', /is not an argon2id hash/],
    [HASH.replace('argon2id', 'argon2i'), /is not an argon2id hash/],
    [HASH.replace('v=19', 'v=16'), /is not an argon2id hash/],
    [HASH.replace('m=19456', 'm=4096'), /less than 7 MiB/],
    [HASH.replace('m=19456', 'm=2097152'), /more than 1 GiB/],
    [HASH.replace('t=2', 't=0'), /parameters out of bounds/],
    [HASH.replace('p=1', 'p=0'), /parameters out of bounds/],
    [HASH.replace('t=2', 't=9999'), /parameters out of bounds/],
    [HASH.slice(0, -40), /is not an argon2id hash/],
  ])('are refused with an invalid or dangerous hash, which is never shown', (hash, problem) => {
    const found = problems(`  ann: { password_hash: "${hash}" }`)
    expect(found).toEqual([expect.stringMatching(/^users\.ann\.password_hash: /)])
    expect(found[0]).toMatch(problem)
    expect(found[0]).not.toContain(hash)
  })
})

it('says every problem of every part at once', () => {
  const problems = problemsOf(() =>
    load({
      argv: ['--prot', '1'],
      env: { PUBLIC_URL: undefined, ALLOWED_EMAILS: 'ann', REFRESH_GRACE: 'x', RESOURCES: 'y' },
      files: { '/srv/gatewarden.yaml': 'users: { ann: { email: a } }\nnonsense: 1\n' },
    }),
  )
  expect(problems.map((problem) => problem.split(': ')[0]).toSorted()).toEqual([
    '--prot',
    'ALLOWED_EMAILS',
    'PUBLIC_URL',
    'REFRESH_GRACE',
    'RESOURCES',
    'nonsense',
    'users.ann.email',
  ])
  expect(problems.every((problem) => /^\S+: .+[.?]$/.test(problem))).toBe(true)
})

describe('users of the built-in login whom no list lets in', () => {
  const warnings = (yaml: string) => loadYaml(yaml).warnings
  const servers = (notes: string) =>
    `resources:\n  notes: { url: https://mcp.example.com/notes, ${notes} }\n  wiki: { url: https://mcp.example.com/wiki }\n`
  const ofNotes = (allow: string) =>
    `${servers(`allow: ${allow}`)}allow: { domains: [example.com] }\n`

  it('cause a warning, since a mistyped domain would show only after a login', () => {
    expect(warnings(`${servers('name: Notes')}allow: { domains: [exmaple.com] }\n`)).toEqual([
      'users: none of them may use any server: the allow list names none of their e-mails, domains or groups. Change the list or the users.',
    ])
  })

  it('cause a warning that names the server, if somebody may pass at another one', () => {
    expect(warnings(ofNotes('{ groups: [staff] }'))).toEqual([
      'users: none of them may use notes: the allow list names none of their e-mails, domains or groups. Change the list or the users.',
    ])
  })

  it('cause no warning while one of them may pass', () => {
    expect(warnings(ofNotes('{ emails: [ANN@example.com, bob@elsewhere.test] }'))).toEqual([])
  })
})
