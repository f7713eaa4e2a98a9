/**
 * The commands in the README of mcpauth.
 *
 * @module
 */
import { expect } from 'vitest'
import { load } from '../../config/harness.ts'
import { ask as askEdge, buildEdgeApp } from '../../edge/support.ts'
import { buildTestApp, type TestApp } from '../../support/build-app.ts'
import { blockOf, readPage } from '../../support/documentation.ts'
import { obtainTokens } from '../../support/oauth-client.ts'
import { HAND_COOKIE, makeSession } from '../../support/session.ts'
import { PAGE, rows } from '../migration-page.ts'
import { type Proofs, provedBy, startWith } from '../proof.ts'
import { endpoints } from './endpoints.ts'

const rowOf = (id: string) => rows.find((row) => row.id === id)
/** The command with this beginning in a cell. */
const commandIn = (cell = '', beginning: string) =>
  [...cell.matchAll(/`([^`]+)`/g)].find(([, text]) => text?.startsWith(beginning))?.[1] ?? ''
const theirs = (id: string, beginning: string) => commandIn(rowOf(id)?.theirs, beginning)
const ours = (id: string, beginning: string) => commandIn(rowOf(id)?.action, beginning)

/** The configuration that the flags of a command make, after the given beginning. */
function startedBy(command: string, beginning: string) {
  expect(command).toContain(beginning)
  const argv = command.slice(beginning.length).trim().split(' ')
  return load({ argv, env: { PUBLIC_URL: undefined } }).config
}

/** Asks as `curl http://localhost:11000` does, without a proxy. */
const curl = ({ app }: TestApp, url: string, headers: Record<string, string> = {}) =>
  app.inject({ url, headers, remoteAddress: '127.0.0.1' })

const scripts = (): Record<string, string> => JSON.parse(readPage('package.json')).scripts

export const commands: Proofs = {
  C1() {
    const quickstart = blockOf(readPage('docs/quickstart.md'), 'step: install')
    for (const command of ours('C1', 'npm ci').split(' && ')) expect(quickstart).toContain(command)
    expect(readPage('package.json')).toContain('"node": ">=20.19"')
  },

  C2() {
    const config = startedBy(ours('C2', 'npm start'), 'npm start --')
    expect(config).toEqual(startedBy(theirs('C2', 'go run'), 'go run cmd/main.go'))
    expect(config.publicUrl.origin).toBe('https://your-domain.com')
    expect(scripts().start).toMatch(/dist\/main\.js$/)
  },

  C3: () =>
    expect(startedBy(theirs('C3', 'go run'), 'go run cmd/main.go').provider).toMatchObject({
      type: 'keycloak',
      issuerUrl: 'https://localhost:8080/realms/master',
      clientId: 'mcp-server',
    }),

  C4: () =>
    expect(startedBy(theirs('C4', 'go run'), 'go run cmd/main.go')).toMatchObject({
      publicUrl: { origin: 'http://localhost:11000' },
      provider: { type: 'builtin' },
      edgeAuth: true,
      listen: { port: 11_000 },
    }),

  C5: () => expect(PAGE).toContain(`Build it (\`${ours('C5', 'docker build')}\`)`),

  C6() {
    const image = readPage('Dockerfile')
    const command = ours('C6', 'docker run')
    for (const [option, line] of [
      ['-p 11000:11000', 'EXPOSE 11000'],
      [':/data', 'VOLUME /data'],
    ] as const) {
      expect(command).toContain(option)
      expect(image).toContain(line)
    }
  },

  C7: provedBy('docs/migrate/mcpauth.md', '+    image: gatewarden\n     env_file: .env'),

  C8() {
    const servers = blockOf(readPage('docs/quickstart.md'), 'step: servers')
    expect(servers.replaceAll(' \\\n ', '')).toContain(ours('C8', 'PORT='))
  },

  C9: () => expect(scripts()).toMatchObject({ test: 'vitest run', verify: expect.any(String) }),

  async C10() {
    expect((await curl(await buildTestApp(), '/health')).statusCode).toBe(200)
  },

  async C11() {
    const test = await buildTestApp()
    const { access_token } = (await obtainTokens(test.app)).tokens
    expect((await curl(test, '/sse')).statusCode).toBe(401)
    const good = await curl(test, '/sse', { authorization: `Bearer ${access_token}` })
    expect(good).toMatchObject({ statusCode: 200, body: '' })
    const bad = await curl(test, '/sse', { authorization: 'Bearer INVALID_TOKEN' })
    expect(bad.statusCode).toBe(401)
  },

  async C12() {
    const token = 'your-secret-token-here-of-32-characters'
    const test = await startWith({ AUTHORIZATION_BEARER_TOKEN: token })
    const good = await curl(test, '/auth', { authorization: `Bearer ${token}` })
    expect(good.statusCode).toBe(200)
    expect(good.headers['x-forwarded-user']).toBe('static-authorized-user')
    const wrong = await curl(test, '/auth', { authorization: 'Bearer wrongtoken' })
    expect(wrong.statusCode).toBe(401)
  },

  async C13() {
    const [, address = ''] = /localhost:11000(\S+)'/.exec(rowOf('C13')?.theirs ?? '') ?? []
    const { app } = await startWith({ ENABLE_EDGE_AUTH: 'true' })
    const answer = await askEdge(app, address, { host: 'auth.example.com' })
    expect(answer.statusCode).toBe(302)
  },

  async C14() {
    const test = await buildEdgeApp()
    const { token } = await makeSession(test)
    const asked = (value: string) =>
      curl(test, '/_ws_tunnel', { cookie: `${HAND_COOKIE}=${value}` })
    expect((await curl(test, '/_ws_tunnel')).statusCode).toBe(401)
    expect((await asked(token)).statusCode).toBe(200)
    expect((await asked('bad-token')).statusCode).toBe(401)
  },

  C15: () => endpoints.E4?.(),

  C16: provedBy('test/e2e/other-clients.test.ts', "the Inspector's command line signs in"),
}
