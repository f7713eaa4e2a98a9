import { describe, expect, it } from 'vitest'
import { configCheck } from '../../src/cli/config-check.ts'
import { configPrint } from '../../src/cli/config-print.ts'
import { BASE, USERS } from '../config/harness.ts'
import { run } from './harness.ts'

describe('config check', () => {
  it('says ok', async () => {
    expect(await run(configCheck, { env: BASE, yaml: USERS })).toEqual({
      code: 0,
      stdout: 'ok\n',
      stderr: '',
    })
  })

  it('prints every problem on a line of its own and exits with 2', async () => {
    const { code, stdout, stderr } = await run(configCheck, { env: { ...BASE, PORT: 'x' } })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr.trimEnd().split('\n')).toEqual([
      'PORT: "x" is not a port. Write a number from 0 to 65535.',
      expect.stringMatching(/^users: /),
    ])
  })

  it('prints warnings beside the ok', async () => {
    const env = { ...BASE, TRUSTED_PROXIES: '::/0' }
    const { code, stderr } = await run(configCheck, { env, yaml: USERS })
    expect(code).toBe(0)
    expect(stderr).toBe('warning: TRUSTED_PROXIES: ::/0 lets everyone forge forwarded headers.\n')
  })
})

describe('config print', () => {
  it('shows each value and where it came from, but no secret', async () => {
    const { code, stdout } = await run(configPrint, {
      env: { ...BASE, SECRET: 'a-secret-that-nobody-may-ever-read' },
      args: ['--port', '12'],
      yaml: `${USERS}log_level: debug\n`,
    })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^PUBLIC_URL = https:\/\/auth\.example\.com +\(environment\)$/m)
    expect(stdout).toMatch(/^PORT = 12 +\(flag\)$/m)
    expect(stdout).toMatch(/^LOG_LEVEL = debug +\(gatewarden\.yaml\)$/m)
    expect(stdout).toMatch(/^HOST = :: +\(default\)$/m)
    expect(stdout).toMatch(/^UPSTREAM_URL is not set$/m)
    expect(stdout).toMatch(/^SECRET = \(hidden\) +\(environment\)$/m)
    expect(stdout).toMatch(/^users\.ann\.password_hash = \(hidden\)/m)
    expect(stdout).not.toMatch(/nobody-may-ever-read|argon2id/)
  })

  it('shows no secret of a preregistered client', async () => {
    const client = { client_id: 'x', client_secret: 'nobody-may-ever-read' }
    const redirect_uris = ['https://ci.example/cb']
    const { code, stdout } = await run(configPrint, {
      env: { ...BASE, MCPAUTH_BOOTSTRAP_CLIENTS: JSON.stringify([{ ...client, redirect_uris }]) },
      yaml: `${USERS}clients: [{ client_id: ci, client_secret: nobody-may-ever-read, redirect_uris: ${JSON.stringify(redirect_uris)} }]\n`,
    })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^MCPAUTH_BOOTSTRAP_CLIENTS = \(hidden\) +\(environment\)$/m)
    expect(stdout).toMatch(/^clients\.ci\.client_secret = \(hidden\)/m)
    expect(stdout).not.toContain('nobody-may-ever-read')
  })

  it('prints nothing of a configuration with a problem', async () => {
    const { code, stdout } = await run(configPrint, { env: BASE })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })
})
