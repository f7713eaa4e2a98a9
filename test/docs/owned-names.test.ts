/**
 * Case fh5: each name of a package or an image that a page or the program prints belongs to whom we mean. A name that
 * nobody owns can be registered by anybody, who then runs code at our users.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT } from '../support/documentation.ts'

/** The packages that may be printed, with their owners. A new one: look up who owns it, then add it. */
const OWNED: Readonly<Record<'npm' | 'pip' | 'image', Readonly<Record<string, string>>>> = {
  npm: {
    '@modelcontextprotocol/inspector': 'the Model Context Protocol project',
    '@modelcontextprotocol/server-everything': 'the Model Context Protocol project',
    '@modelcontextprotocol/server-memory': 'the Model Context Protocol project',
    'mcp-remote': 'geelen/mcp-remote',
    supergateway: 'supercorp-ai/supergateway',
    // Our own development dependency, from the lock file.
    tsx: 'privatenumber/tsx',
  },
  pip: {},
  image: {
    'keycloak/keycloak': 'the Keycloak project',
    nginx: 'Docker Official Image',
    node: 'Docker Official Image',
    python: 'Docker Official Image',
    redis: 'Docker Official Image',
    traefik: 'Docker Official Image, Traefik Labs',
    'valkey/valkey': 'the Valkey project',
    // Built from this repository, never pulled: `build:` stands beside it, or the page says so.
    gatewarden: 'built here',
    // The image that a user of mcpauth has and takes out.
    'oideibrett/mcpauth': 'oidebrett/mcpauth',
  },
}

const SKIPPED = new Set(['node_modules', '.git', 'dist', '.verify', '.demo', '.bench', 'test'])
const READ = /(?:\.(?:md|ya?ml|ts|mjs|json|svg|conf)|Dockerfile|\.env\.example)$/
const UNREAD = /package-lock\.json$/

function* filesIn(folder: string): Generator<string> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (SKIPPED.has(name)) continue
    if (statSync(path).isDirectory()) yield* filesIn(path)
    else if (READ.test(name) && !UNREAD.test(name)) yield path
  }
}

interface Named {
  readonly registry: keyof typeof OWNED
  readonly name: string
  readonly at: string
}

/** A name without its version or tag; undefined for a path, a variable or a placeholder. */
function plain(word: string): string | undefined {
  const text = word.replace(/^["'`]+|["'`,;:.)]+$/g, '').replace(/(?<=.)@[\w.^~-]+$/, '')
  const name = text.replace(/:[\w.-]+$/, '')
  return /^(?:@[\w.-]+\/)?[a-z][\w.-]*(?:\/[\w.-]+)?$/i.test(name) ? name : undefined
}

/** The packages of a command line: those of `-p` or `--package`, else the first word. */
function packagesOf(words: readonly string[]): string[] {
  const named = words.flatMap((word, index) =>
    /^(?:-p|--package)$/.test(word)
      ? [words[index + 1] ?? '']
      : (word.match(/^--package=(.+)/)?.[1] ?? []),
  )
  if (named.length > 0) return named
  const first = words.find((word) => !word.startsWith('-'))
  return first === undefined ? [] : [first]
}

function namesIn(text: string, at: string): Named[] {
  const found: Named[] = []
  const add = (registry: Named['registry'], words: readonly string[]) => {
    for (const word of words) {
      const name = plain(word)
      if (name !== undefined) found.push({ registry, name, at })
    }
  }
  for (const line of text.split('\n')) {
    const words = (rest: string | undefined) => (rest ?? '').trim().split(/\s+/)
    for (const [, rest] of line.matchAll(/\bnpx((?:[ \t]+[^\s`|&;]+)+)/g)) {
      add('npm', packagesOf(words(rest)))
    }
    for (const [, rest] of line.matchAll(
      /\bnpm (?:exec|i|install|add)((?:[ \t]+[^\s`|&;\\]+)+)/g,
    )) {
      add(
        'npm',
        words(rest).filter((word) => !word.startsWith('-') && word !== '.'),
      )
    }
    for (const [, rest] of line.matchAll(
      /\b(?:pip3? install|pipx (?:run|install)|uvx)((?:[ \t]+[^\s`|&;]+)+)/g,
    )) {
      add(
        'pip',
        words(rest).filter((word) => !word.startsWith('-')),
      )
    }
    for (const [, image] of line.matchAll(/^[-+]?\s*image:\s*(\S+)/g)) add('image', [image ?? ''])
    for (const [, image] of line.matchAll(/^FROM\s+(\S+)/g)) add('image', [image ?? ''])
    for (const [, rest] of line.matchAll(/\bdocker pull[ \t]+(\S+)/g)) add('image', [rest ?? ''])
  }
  return found
}

const everyName = [...filesIn(ROOT)].flatMap((path) =>
  namesIn(readFileSync(path, 'utf8'), path.slice(ROOT.length)),
)

describe('a name that is printed', () => {
  it('is found in every form that people paste', () => {
    const text = [
      'npx -y -p mcp-remote mcp-remote-client https://x',
      '`npx gatewarden`',
      'npx --package=@a/b c',
      'RUN npm install --no-audit one@1.2.3 @two/three@4',
      'pip install four',
      '    image: five/six:7',
      'FROM eight:9-slim AS build',
    ].join('\n')
    expect(namesIn(text, 'x').map(({ registry, name }) => `${registry} ${name}`)).toEqual([
      'npm mcp-remote',
      'npm gatewarden',
      'npm @a/b',
      'npm one',
      'npm @two/three',
      'pip four',
      'image five/six',
      'image eight',
    ])
  })

  it('fh5: belongs to whom we mean', () => {
    expect(everyName.length).toBeGreaterThan(10)
    const strangers = everyName.filter(
      ({ registry, name }) => !Object.hasOwn(OWNED[registry], name),
    )
    expect(strangers).toEqual([])
  })

  it('is never ours before we have published it', () => {
    expect(
      everyName.filter(({ registry, name }) => registry !== 'image' && name === 'gatewarden'),
    ).toEqual([])
  })
})
