/**
 * docs/servers.md: its configurations load, and its commands are those of the images that are built from them.
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { loadConfig } from '../../src/config/load.ts'
import { OUTAGE_WORDS } from '../../src/pages/error-page.ts'
import { HASH } from '../config/harness.ts'
import { blockOf, readPage } from '../support/documentation.ts'

const PAGE = readPage('docs/servers.md')

const resourcesOf = (marker: string) => load(blockOf(PAGE, marker)).config.resources

/** Loads a file that names no user. */
function load(text: string) {
  const yaml = `${text}users: { ann: { email: ann@example.com, password_hash: "${HASH}" } }\n`
  return loadConfig({
    argv: [],
    env: {},
    cwd: '/srv',
    readFile: (path) => {
      if (path.endsWith('gatewarden.yaml')) return yaml
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    },
  })
}

describe('the page about servers', () => {
  it('fh1: maps a path by upstream', () => {
    expect(resourcesOf('example: upstream with another path')).toMatchObject([
      { url: 'https://mcp.example.com/notes/mcp', upstream: 'http://localhost:3000/mcp' },
    ])
  })

  it('fh11: names the second address of a legacy server', () => {
    expect(resourcesOf('example: legacy server')).toMatchObject([
      { url: 'https://old.example.com/sse', also: ['/message'] },
    ])
  })

  it('fh22: bridges a stdio server by the command of the image', () => {
    const image = readPage('deploy/sample-stdio/Dockerfile')
    const [, version = ''] = /supergateway@([\d.]+)/.exec(image) ?? []
    const command = /^npx -y -p supergateway.*?\n```/ms.exec(PAGE)?.[0] ?? ''
    expect(command).toContain(`supergateway@${version} `)
    expect(command).toMatch(/^ {2}supergateway --stdio mcp-server-memory/m)
    for (const option of ['--outputTransport', 'streamableHttp', '--stateful', '--port', '3002']) {
      expect(command).toContain(option)
      expect(image).toContain(`"${option}"`)
    }
  })
})

describe('sc13: the sample servers of the lab', () => {
  const Compose = z.object({
    services: z.record(z.string(), z.object({ scale: z.string().optional() })),
  })
  // Compose puts the second file over the first.
  const { services } = Compose.parse(
    parse(readPage('deploy/samples/compose.yaml'), { merge: true }),
  )
  const { resources } = load(readPage('deploy/samples/gatewarden.yaml')).config

  it('are ten', () => {
    expect(resources).toHaveLength(10)
  })

  it.each(
    resources.flatMap(({ id, upstream }) => (upstream === undefined ? [] : [[id, upstream]])),
  )('%s has a service behind it, which a variable of that name switches off', (id, upstream) => {
    const { hostname, port } = new URL(upstream)
    expect({ hostname, port }).toEqual({ hostname: `${id}-server`, port: '3002' })
    expect(services[hostname]?.scale).toBe(`\${SAMPLE_${id.toUpperCase()}:-1}`)
  })

  it.each(['node', 'python', 'headers'])('%s.Dockerfile installs packages by version', (name) => {
    const text = readPage(`deploy/samples/${name}.Dockerfile`)
    const installed = [...text.matchAll(/(?:^|\s)(@?[a-z][\w/.-]*(?:@|==)[\d.]+)(?=\s)/g)]
    expect(installed.length).toBeGreaterThan(0)
    for (const [, command = ''] of text.matchAll(
      /(?:npm|pip) install ([^&\n]*(?:\\\n[^&\n]*)*)/g,
    )) {
      for (const word of command.split(/[\s\\]+/).filter((part) => /^[@a-z]/.test(part))) {
        expect(word).toMatch(/(?:@|==)\d[\d.]*$/)
      }
    }
  })
})

it('fp8: the page while Gatewarden does not run is one, and says what our own page says', () => {
  const html = readPage('deploy/away.html')
  const conf = readPage('deploy/nginx/gatewarden/away.conf')
  // nginx would read a variable, or the end of the text.
  expect(html).not.toMatch(/[$'\\]/)
  expect(conf).toContain(`return 503 '${html}';`)
  expect(html).toContain(`<h1>${OUTAGE_WORDS.title}</h1>`)
  expect(html).toContain(`<p>${OUTAGE_WORDS.text}</p>`)
})
