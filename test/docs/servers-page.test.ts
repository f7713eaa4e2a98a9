/**
 * docs/servers.md: its configurations load, and its commands are those of the images that are built from them.
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { OUTAGE_WORDS } from '../../src/pages/error-page.ts'
import { HASH } from '../config/harness.ts'
import { blockOf, readPage } from '../support/documentation.ts'

const PAGE = readPage('docs/servers.md')

function resourcesOf(marker: string) {
  const yaml = `${blockOf(PAGE, marker)}users: { ann: { email: ann@example.com, password_hash: "${HASH}" } }\n`
  const { config } = loadConfig({
    argv: [],
    env: {},
    cwd: '/srv',
    readFile: (path) => {
      if (path.endsWith('gatewarden.yaml')) return yaml
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    },
  })
  return config.resources
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

it('fp8: the page while Gatewarden does not run is one, and says what our own page says', () => {
  const html = readPage('deploy/away.html')
  const conf = readPage('deploy/nginx/gatewarden/away.conf')
  // nginx would read a variable, or the end of the text.
  expect(html).not.toMatch(/[$'\\]/)
  expect(conf).toContain(`return 503 '${html}';`)
  expect(html).toContain(`<h1>${OUTAGE_WORDS.title}</h1>`)
  expect(html).toContain(`<p>${OUTAGE_WORDS.text}</p>`)
})
