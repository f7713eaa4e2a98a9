/**
 * Every block and every command on the pages: configurations load, scripts are well-formed, commands, npm scripts, files
 * and settings exist, and each step of the quickstart is run by its end-to-end test.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments, stringify } from 'yaml'
import { z } from 'zod'
import { COMMANDS } from '../../src/cli/commands.ts'
import { loadConfig } from '../../src/config/load.ts'
import { reportForeign } from '../../src/config/sources/foreign-names.ts'
import { knownNames } from '../../src/config/sources/names.ts'
import { translate } from '../../src/config/sources/other-systems.ts'
import { createReport } from '../../src/config/values/problem.ts'
import { HASH } from '../config/harness.ts'
import { blockOf, everyPage, ROOT, readPage, withoutBlocks } from '../support/documentation.ts'

interface Block {
  readonly page: string
  /** The comment before it. */
  readonly marker: string
  readonly language: string
  readonly text: string
}

const PAGES = [...everyPage(), 'CONTRIBUTING.md', 'SECURITY.md'].filter(
  (page) => !page.startsWith('docs/decisions/'),
)

const blocks = PAGES.flatMap((page): Block[] =>
  [...readPage(page).matchAll(/^(?:<!-- (.*?) -->\n)?```(\w*)\n(.*?)^```$/gms)].map(
    ([, marker = '', language = '', text = '']) => ({ page, marker, language, text }),
  ),
)
const of = (...languages: readonly string[]) =>
  blocks.filter(({ language }) => languages.includes(language))
const titled = (found: readonly Block[]) =>
  found.map((block) => ({ ...block, title: `${block.page}: ${firstLine(block)}` }))
const firstLine = ({ marker, text }: Block) => marker || (text.trim().split('\n')[0] ?? '')

const CONFIGURATION = /^(public_url|resources|users|clients|providers|static_tokens|allow):/m

/** Loads the configuration of a block. It gets what it lacks: a server, somebody who may pass, a provider. */
function load(text: string): void {
  const has = (name: string) => new RegExp(`^${name}:`, 'm').test(text)
  const filled = text.replaceAll('$argon2id$...', HASH)
  const users = `users: { ann: { email: ann@example.com, password_hash: "${HASH}" } }\n`
  const notes = stringify({
    resources: {
      notes: {
        url: 'https://mcp.example.com/notes/mcp',
        scopes: { 'notes:read': 'Read', 'notes:write': 'Write' },
      },
    },
  })
  const yaml = [
    filled,
    has('users') || has('providers') || /accept_provider/.test(text) ? '' : users,
    has('resources') ? '' : notes,
  ].join('\n')
  loadConfig({
    argv: [],
    cwd: '/srv',
    env: {
      ...(!has('public_url') && { PUBLIC_URL: 'https://auth.example.com' }),
      ...(!has('allow') && { ALLOWED_EMAILS: 'ann@example.com' }),
      ...(/accept_provider_tokens/.test(text) && {
        PROVIDER: 'google',
        CLIENT_ID: 'x',
        CLIENT_SECRET: 'x'.repeat(32),
      }),
    },
    readFile(path) {
      if (path === '/srv/gatewarden.yaml') return yaml
      if (path.startsWith('/run/secrets/')) return path.endsWith('/bob') ? HASH : 'x'.repeat(32)
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    },
  })
}

describe('configuration on the pages', () => {
  const configurations = of('yaml').filter(
    ({ text, marker }) => CONFIGURATION.test(text) && !/dynamic|labels|traefik\.yml/.test(marker),
  )

  it('is found', () => {
    expect(configurations.length).toBeGreaterThan(14)
  })

  it.each(titled(configurations))('of Gatewarden loads: $title', ({ text }) => {
    expect(() => load(text)).not.toThrow()
  })

  it.each(titled(of('yaml')))('is YAML: $title', ({ text }) => {
    for (const document of parseAllDocuments(text)) expect(document.errors).toEqual([])
  })

  it.each(titled(of('json')))('is JSON: $title', ({ text }) => {
    for (const line of text.trim().split('\n')) expect(() => JSON.parse(line)).not.toThrow()
  })

  it.each(titled(of('nginx')))('of nginx includes files that are there: $title', ({ text }) => {
    for (const [, file = ''] of text.matchAll(/^\s*include (gatewarden\/\S+);/gm)) {
      expect(existsSync(`${ROOT}deploy/nginx/${file}`)).toBe(true)
    }
  })
})

describe('scripts on the pages', () => {
  it.each(titled(of('sh', 'bash')))('are well-formed: $title', ({ text }) => {
    expect(() => execFileSync('bash', ['-n'], { input: text })).not.toThrow()
  })

  it('of the quickstart are all run by its test, or say why not', () => {
    const tests = ['first-hour.test.ts', 'support/quickstart.ts']
      .map((file) => readPage(`test/e2e/${file}`))
      .join('\n')
    const quickstart = blocks.filter(({ page }) => page === 'docs/quickstart.md')
    expect(quickstart.length).toBeGreaterThan(15)
    for (const block of quickstart) {
      const [, kind, name] = /^(step|file|not run): (.+)$/.exec(block.marker) ?? []
      if (kind === undefined) {
        // No test has this client; the line is checked by eye.
        expect(block.text).toMatch(/^claude mcp add --transport http/)
      } else if (kind !== 'not run') {
        expect(tests, block.marker).toContain(`'${name}'`)
      }
    }
  })
})

const Package = z.object({ scripts: z.record(z.string(), z.string()) })
const { scripts } = Package.parse(JSON.parse(readPage('package.json')))

describe.each(PAGES)('%s', (page) => {
  const text = readPage(page)
  const inline = [...withoutBlocks(text).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)
  const commands = [
    ...inline,
    ...blocks
      .filter((block) => block.page === page && block.language !== 'text')
      .flatMap((block) => block.text.split('\n')),
  ].map((line) => line.replace(/ +#.*/, ''))

  it('fd9: names only commands that Gatewarden has', () => {
    const words = COMMANDS.map((row) => row.words)
    const unknown = commands
      .flatMap((line) => [
        ...line.matchAll(/(?:^|&& |-deps )(?:gatewarden|node dist\/main\.js)((?: [a-z-]+)+)/g),
      ])
      .map(([, called = '']) => called.trim().replace(/ --?[a-z].*$/, ''))
      .filter(
        (called) =>
          !called.startsWith('-') && !words.some((row) => `${called} `.startsWith(`${row} `)),
      )
    expect(unknown).toEqual([])
  })

  it('names only npm scripts that there are', () => {
    const called = commands
      .flatMap((line) => [...line.matchAll(/\bnpm run (?:-s )?([\w:]+)/g)])
      .map(([, name = '']) => name)
    expect(called.filter((name) => scripts[name] === undefined)).toEqual([])
  })

  it('names only files that there are', () => {
    const files = inline.filter((code) =>
      /^(?:deploy|docs|src|test|traefik|bench|scripts)\/(?!whoami)[\w./-]*$/.test(code),
    )
    expect(files.filter((file) => !existsSync(ROOT + file))).toEqual([])
  })

  it('fd11: names only settings that there are', () => {
    // Names of other programs, and examples of names that an operator chooses.
    const FOREIGN = /^(?:NODE|GATEWARDEN|SAMPLE)_|^PROTECTED_PATH$/
    const named = inline
      .flatMap((code) => code.match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g) ?? [])
      .filter((name) => !FOREIGN.test(name))
    const known = new Set(knownNames.flatMap((name) => [name, `${name}_FILE`]))
    const isKnown = (name: string) =>
      known.has(name) || (page.startsWith('docs/migrate/') && isAnswered(name))
    expect([...new Set(named.filter((name) => !isKnown(name)))]).toEqual([])
  })
})

/** True for a setting of another system that counts here, or gets a line at the start. */
const isAnswered = (name: string) =>
  ['BASE_DOMAIN', 'JWT_SECRET', 'REDIS_PASSWORD'].includes(name) ||
  translate(name, ':8080') !== undefined ||
  reportForeign(name, createReport())

it.each([
  ['get-token', 'traefik', 'script: get-token'],
  ['traefik', 'traefik', 'script: self-test'],
  ['nginx', 'nginx', 'script: self-test'],
  ['ingress-nginx', 'ingress-nginx', 'script: self-test'],
])('fh20: deploy/self-test/%s.sh is the script of its page', (name, page, marker) => {
  const script = blockOf(readPage(`docs/proxies/${page}.md`), marker)
  const [, pasted = ''] = /<<'END'\n(.*?)^END$/ms.exec(script) ?? []
  const file = readPage(`deploy/self-test/${name}.sh`)
  expect(file.split('\n').slice(2).join('\n')).toBe(pasted)
  expect(file).toMatch(/^#!\/bin\/bash\n# .*\n/)
})
