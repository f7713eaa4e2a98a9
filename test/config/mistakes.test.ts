/** Case fh23: mistakes that `config check` once called `ok`. Each has a line that says how to fix it. */
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/values/problem.ts'
import { BASE, HASH, load, loadYaml, problemsOf, USERS } from './harness.ts'

const ALLOW = 'allow: { emails: ["*"] }\n'
const resource = (more: string) => `resources: { notes: { ${more} } }\n${ALLOW}`

it.each(['~', '~/gatewarden'])('a folder %s would be one with that very name', (path) => {
  expect(problemsOf(() => load({ env: { DATA_DIR: path } }))).toEqual([
    'DATA_DIR: begins with ~, which only a shell fills in. Write the whole path.',
  ])
})

describe('a resource at a page of ours', () => {
  it.each([
    '/login',
    '/consent',
    '/callback',
    '/authorize',
    '/authorize/mcp',
    '/token',
    '/register',
    '/jwks',
    '/auth',
    '/auth/mcp',
    '/.well-known/mcp',
    '/.gatewarden',
    '/healthz',
    '/login/mcp',
  ])('is a problem: %s', (path) => {
    const url = `https://auth.example.com${path}`
    expect(problemsOf(() => load({ env: { RESOURCES: url } }))).toEqual([
      expect.stringMatching(/^RESOURCES: .* is an address of Gatewarden itself.* Give the server/),
    ])
  })

  it('is a problem among the further paths, too', () => {
    const yaml = resource('url: "https://auth.example.com/mcp", also: [/token]')
    expect(problemsOf(() => loadYaml(yaml))).toEqual([
      expect.stringMatching(/^resources\.notes\.also: https:\/\/auth\.example\.com\/token is/),
    ])
  })

  it.each(['https://mcp.example.com/login', 'https://auth.example.com/logins'])(
    'is none at %s',
    (url) => {
      expect(problemsOf(() => load({ env: { RESOURCES: url } }))).toEqual([])
    },
  )
})

describe('a path of ours that a server behind us may have', () => {
  it.each(['/sse', '/health'])('%s, with an upstream', (path) => {
    const server = (more: string) =>
      problemsOf(() => loadYaml(resource(`url: "https://auth.example.com${path}"${more}`)))
    expect(server(', upstream: "http://127.0.0.1:3000/sse"')).toEqual([])
    expect(server('')).toEqual([expect.stringMatching(/is an address of Gatewarden itself/)])
  })
})

describe('ed11: PATH_PREFIX', () => {
  const prefixed = (prefix: string, more: string = 'url: "https://auth.example.com/mcp"') =>
    problemsOf(() => loadYaml(resource(more), { env: { PATH_PREFIX: prefix } }))

  it.each(['/auth-gw', '/.gatewarden', '/a/b', '/x_1.~', '/Auth'])('may be %s', (prefix) => {
    expect(prefixed(prefix)).toEqual([])
  })

  it.each([
    ['auth-gw', /is not an absolute path\. Write it like \/auth-gw\.$/],
    ['https://auth.example.com/x', /is not an absolute path/],
    ['/', /is no prefix\. Leave the setting out/],
    ['/auth-gw/', /ends in a slash\. Write \/auth-gw\.$/],
    ['/a/../b', /can be read in more than one way/],
    ['/..', /can be read in more than one way/],
    ['/a/./b', /can be read in more than one way/],
    ['//a', /can be read in more than one way/],
    ['/a%2fb', /can be read in more than one way/],
    ['/a b', /can be read in more than one way/],
    ['/a;b', /can be read in more than one way/],
    ['/a?b', /can be read in more than one way/],
    ['/a#b', /can be read in more than one way/],
    ['/\u00e4', /can be read in more than one way/],
    ['/login', /has another meaning here\. Write another path/],
    ['/auth', /has another meaning here/],
    ['/auth/gw', /has another meaning here/],
    ['/.well-known', /has another meaning here/],
    ['/.well-known/x', /has another meaning here/],
    ['/healthz', /has another meaning here/],
  ])('is not %s', (prefix, problem) => {
    expect(prefixed(prefix)).toEqual([expect.stringMatching(/^PATH_PREFIX: /)])
    expect(prefixed(prefix)[0]).toMatch(problem)
  })

  it.each([
    'url: "https://auth.example.com/auth-gw"',
    'url: "https://auth.example.com/auth-gw/mcp"',
  ])('is not the path of a server: %s', (more) => {
    expect(prefixed('/auth-gw', more)).toEqual([
      expect.stringMatching(/^resources\.notes\.url: .* is an address of Gatewarden itself/),
    ])
  })

  it('gives the paths of ours to servers', () => {
    for (const path of ['/login', '/token', '/auth', '']) {
      expect(prefixed('/auth-gw', `url: "https://auth.example.com${path}"`)).toEqual([])
    }
  })

  it('is in the remedy where a server has the whole host', () => {
    const whole = resource('url: "https://auth.example.com", shared_host: sandboxed')
    const { warnings } = loadYaml(whole)
    expect(warnings).toEqual([
      expect.stringMatching(
        /^resources\.notes\.url: .*never reach the server: .*\/login, .*\/auth\/\*.*Set PATH_PREFIX, such as \/auth-gw/,
      ),
    ])
    expect(loadYaml(whole, { env: { PATH_PREFIX: '/auth-gw' } }).warnings).toEqual([])
  })

  it('sn8: is in a remedy that names the paths of ours alone, and the callback where it is', () => {
    const server = resource('url: "https://auth.example.com", upstream: "http://notes:3000"')
    const taken = (env = {}) => {
      const [line = ''] = loadYaml(server, { env }).warnings
      return /never reach the server: (.*)\. Set PATH_PREFIX/.exec(line)?.[1]?.split(', ')
    }
    expect(taken()).toContain('/callback')
    // The server behind us has these two, as mcpauth's servers do.
    expect(taken()).not.toContain('/sse')
    expect(taken()).not.toContain('/health')
    expect(taken()).toHaveLength(new Set(taken()).size)
    const elsewhere = taken({ CALLBACK_PATH: '/oauth/callback' })
    expect(elsewhere).toContain('/oauth/callback')
    expect(elsewhere).not.toContain('/callback')
  })
})

describe('sc9: CALLBACK_PATH', () => {
  const problems = (path: string, env = {}) =>
    problemsOf(() => load({ env: { CALLBACK_PATH: path, ...env } }))

  it.each(['/callback', '/oauth/callback', '/login/oauth2/code/id', '/oauth2/callback'])(
    'may be %s',
    (path) => {
      expect(problems(path)).toEqual([])
    },
  )

  it.each([
    ['oauth/callback', /is not a plain path\. Write the path of the redirect URI alone/],
    ['https://auth.example.com/oauth/callback', /is not a plain path/],
    ['/oauth/callback/', /is not a plain path/],
    ['/oauth/../callback', /is not a plain path/],
    ['/oauth%2fcallback', /is not a plain path/],
    ['/', /is not a plain path/],
    ['/login', /has another meaning here\. Register another path/],
    ['/auth/callback', /has another meaning here/],
    ['/.gatewarden/callback', /has another meaning here/],
    ['/.well-known/callback', /has another meaning here/],
    ['/sse', /has another meaning here/],
  ])('is not %s', (path, problem) => {
    expect(problems(path)).toEqual([expect.stringMatching(/^CALLBACK_PATH: /)])
    expect(problems(path)[0]).toMatch(problem)
  })

  it('is neither the path of the check nor that of a server', () => {
    expect(problems('/oauth/callback', { PROTECTED_PATH: '/oauth/callback' })).toEqual([
      expect.stringMatching(/^CALLBACK_PATH: .* is PROTECTED_PATH as well/),
    ])
    const RESOURCES = 'https://auth.example.com/oauth/callback'
    expect(problems('/oauth/callback', { RESOURCES })).toEqual([
      expect.stringMatching(/^RESOURCES: .* is an address of Gatewarden itself/),
    ])
  })
})

describe('an upstream that leads back', () => {
  it.each([
    ['https://mcp.example.com/mcp', 'https://mcp.example.com/mcp'],
    ['https://mcp.example.com/mcp', 'http://mcp.example.com/other'],
    ['https://mcp.example.com/mcp', 'https://auth.example.com/mcp'],
    ['https://*.example.com', 'https://mcp.example.com'],
    ['https://mcp.example.com/mcp', 'http://localhost:11000/mcp'],
    ['https://mcp.example.com/mcp', 'http://127.0.0.1:11000'],
    ['https://mcp.example.com/mcp', 'http://[::1]:11000/mcp'],
  ])('is a problem: %s with %s', (url, upstream) => {
    expect(problemsOf(() => loadYaml(resource(`url: "${url}", upstream: "${upstream}"`)))).toEqual([
      expect.stringMatching(/^resources\.notes\.upstream: .*would ask itself for ever\. Write/),
    ])
  })

  it('is a problem of the flat setting as well', () => {
    const argv = ['--upstream', 'https://mcp.example.com/notes/mcp']
    expect(problemsOf(() => load({ argv }))).toEqual([expect.stringMatching(/^--upstream: /)])
  })

  it.each([
    ['https://mcp.example.com/mcp', 'http://mcp.example.com:3000/mcp'],
    ['https://mcp.example.com/mcp', 'http://localhost:3000/mcp'],
    ['https://mcp.example.com/mcp', 'http://notes:11000/mcp'],
    ['https://*.labs.example.com', 'http://labs-server.example.com/mcp'],
  ])('is none: %s with %s', (url, upstream) => {
    expect(problemsOf(() => loadYaml(resource(`url: "${url}", upstream: "${upstream}"`)))).toEqual(
      [],
    )
  })
})

describe('plain http beside https', () => {
  it('is a warning with the address to write', () => {
    const env = { RESOURCES: 'http://mcp.example.com/mcp' }
    expect(load({ env }).warnings).toEqual([
      'RESOURCES: http://mcp.example.com/mcp is plain http, but PUBLIC_URL is https. Write https://mcp.example.com/mcp if clients use https there too.',
    ])
  })

  it('is a problem under PROD_MODE, once', () => {
    const env = { RESOURCES: 'http://mcp.example.com/mcp', PROD_MODE: 'true' }
    expect(problemsOf(() => load({ env })).filter((line) => line.includes('http:'))).toHaveLength(1)
  })

  it('is none where the gateway is plain http, too', () => {
    const env = { PUBLIC_URL: 'http://localhost:11000', RESOURCES: 'http://localhost:3000/mcp' }
    expect(load({ env }).warnings).toEqual([])
  })
})

it('a PUBLIC_URL on this machine with a port that nobody listens on is a warning', () => {
  const env = { PUBLIC_URL: 'http://localhost:8080' }
  expect(load({ env }).warnings).toEqual([
    'PUBLIC_URL: names port 8080, but Gatewarden listens on port 11000. Set PORT=8080, unless a proxy on this machine listens there.',
  ])
  expect(load({ env: { ...env, PORT: '8080' } }).warnings).toEqual([])
})

describe('a name of another program', () => {
  it.each([
    ['UPSTREAM', 'UPSTREAM_URL'],
    ['BASE_URL', 'PUBLIC_URL'],
    ['AUTH_PROVIDER', 'PROVIDER'],
    ['EMAIL_DOMAINS', 'ALLOWED_DOMAINS'],
  ])('%s gets a warning with our name', (name, ours) => {
    expect(load({ env: { [name]: 'x' } }).warnings).toEqual([
      `${name}: is not a setting, and has no effect. Gatewarden calls it ${ours}.`,
    ])
  })

  it.each(['WORKERS', 'METRICS_PORT'])(
    'fd11: %s, which this version does not have, gets a warning',
    (name) => {
      expect(load({ env: { [name]: '4' } }).warnings).toEqual([
        expect.stringMatching(new RegExp(`^${name}: .*no effect.* Remove it`)),
      ])
    },
  )

  it.each(['GITHUB_CLIENT_ID', 'GITHUB_CLIENT_SECRET', 'ALLOWED_GITHUB_USERS'])(
    'sn12: %s stops the start with another provider, because other people would pass than the operator thinks',
    (name) => {
      expect(problemsOf(() => load({ env: { [name]: 'x' } }))).toEqual([
        expect.stringMatching(new RegExp(`^${name}: `)),
      ])
    },
  )
})

it('a resource that is listed twice is told beside another error of the list', () => {
  const env = { RESOURCES: 'https://a.example/mcp,https://a.example/mcp/,nonsense' }
  expect(problemsOf(() => load({ env }))).toEqual([
    expect.stringContaining('"nonsense" is not an http or https URL'),
    'RESOURCES: "https://a.example/mcp/" is there twice. Remove one of the two.',
  ])
})

describe('a file with nearly the right name', () => {
  /** The folder holds these files; the environment is complete but for what `env` changes. */
  function loadIn(files: Record<string, string>, given: { env?: object; argv?: string[] } = {}) {
    return loadConfig({
      argv: given.argv ?? [],
      env: { ...BASE, ...given.env },
      cwd: '/srv',
      readFile: (path) => {
        const text = files[path.replace('/srv/', '')]
        if (text === undefined) throw Object.assign(new Error('none'), { code: 'ENOENT' })
        return text
      },
      listFolder: () => Object.keys(files),
    })
  }
  const firstOf = (run: () => unknown) => {
    try {
      run()
    } catch (error) {
      if (error instanceof ConfigError) return error.problems[0]
      throw error
    }
    return undefined
  }

  it.each([
    'gatewarden.yml',
    'Gatewarden.yaml',
    'gatewarden.yaml.txt',
    'gateworden.yaml',
    'gate-warden.yaml',
    'gatewarden.json',
    'gatewarden.example.yaml',
    '.gatewarden.yaml',
    'gatewarden-config.yaml',
  ])('is named in the first line: %s', (name) => {
    expect(firstOf(() => loadIn({ [name]: USERS }))).toBe(
      `gatewarden.yaml: no file was read, because its name in /srv is ${name}. Rename it to gatewarden.yaml, or add --config ${name}.`,
    )
  })

  it('is a warning where nothing is missing', () => {
    const env = { USERS: `ann@example.com:${HASH}` }
    expect(loadIn({ 'gatewarden.yml': 'port: 1' }, { env }).warnings).toEqual([
      expect.stringMatching(/^gatewarden\.yaml: no file was read, because its name/),
    ])
  })

  it.each(['gatewarden.schema.json', 'gatewarden.log', 'gatewarden.pid', 'package.json'])(
    'is not %s',
    (name) => {
      expect(firstOf(() => loadIn({ [name]: '' }))).toMatch(/^gatewarden\.yaml: .*there is none in/)
    },
  )

  it('gets no line where the file is there, or where none is needed', () => {
    const env = { USERS: `ann@example.com:${HASH}` }
    expect(loadIn({}, { env }).warnings).toEqual([])
    expect(loadIn({ 'gatewarden.yaml': USERS, 'gatewarden.yml': '' }).warnings).toEqual([])
  })

  it('is suggested for --config', () => {
    const run = () => loadIn({ 'prod.yaml': USERS }, { argv: ['--config', 'prod.yml'] })
    expect(firstOf(run)).toBe('prod.yml: there is no such file. Did you mean prod.yaml?')
  })

  it('is told for .env as well', () => {
    expect(loadIn({ 'gatewarden.yaml': USERS, '.env.txt': '' }).warnings).toEqual([
      '.env: was not read: it is called .env.txt. Rename it.',
    ])
  })

  it('fh14: a folder in its place is named as what it is', () => {
    const run = () =>
      loadConfig({
        argv: [],
        env: BASE,
        cwd: '/srv',
        readFile: (path) => {
          const code = path.endsWith('.yaml') ? 'EISDIR' : 'ENOENT'
          throw Object.assign(new Error(code), { code })
        },
      })
    expect(firstOf(run)).toMatch(/^gatewarden\.yaml: is a folder, not a file\. Docker makes/)
  })
})
