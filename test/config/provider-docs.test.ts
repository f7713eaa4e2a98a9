import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { PRESETS } from '../../src/providers/presets.ts'
import { HASH, loadYaml } from './harness.ts'

it.each(['keycloak', 'google', 'github', 'entra', ...Object.keys(PRESETS), 'oidc', 'builtin'])(
  'the example of docs/providers/%s.md loads',
  (name) => {
    const page = readFileSync(new URL(`../../docs/providers/${name}.md`, import.meta.url), 'utf8')
    const [, example = ''] = /```yaml\n(# gatewarden\.yaml\n.*?)```/s.exec(page) ?? []
    const secret = name === 'builtin' ? HASH : 'from-the-provider'
    const files = Object.fromEntries(
      [...example.matchAll(/_file: (\S+?)[\s,}]/g)].map(([, path = '']) => [path, secret]),
    )
    const yaml = example.replace('$argon2id$...', () => HASH)
    const { config, warnings } = loadYaml('', {
      env: { PUBLIC_URL: undefined },
      files: { ...files, '/srv/gatewarden.yaml': yaml },
    })
    expect(config.provider.type).toBe(name)
    expect(warnings).toEqual([])
    if (name !== 'builtin') expect(page).toContain(`${config.publicUrl.origin}/callback`)
  },
)
