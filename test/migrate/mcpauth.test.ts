/**
 * docs/migrate/mcpauth.md: every row of its tables says kept, changed or refused; this tries each under its number.
 */
import { describe, expect, it } from 'vitest'
import { load, problemsOf } from '../config/harness.ts'
import { blockOf } from '../support/documentation.ts'
import { tryEveryRow } from './every-row.ts'
import { labelsOf, PAGE, rows, settingsOf } from './migration-page.ts'
import type { Proofs } from './proof.ts'
import { checks } from './rows/check.ts'
import { commands } from './rows/commands.ts'
import { deployments, short } from './rows/deployments.ts'
import { edge, internal } from './rows/edge.ts'
import { endpoints, management } from './rows/endpoints.ts'
import { holes } from './rows/holes.ts'
import { settings } from './rows/settings.ts'
import { tokens } from './rows/tokens.ts'

const proofs: Proofs = {
  ...commands,
  ...short,
  ...endpoints,
  ...checks,
  ...edge,
  ...internal,
  ...management,
  ...settings,
  ...tokens,
  ...deployments,
  ...holes,
}

tryEveryRow(rows, proofs)

describe('the five steps', () => {
  const before = settingsOf('example: environment')
  const unset = { PUBLIC_URL: undefined, RESOURCES: undefined, ALLOWED_EMAILS: undefined }
  const files = { '/srv/gatewarden.yaml': '' }

  it('show what the first start says about an environment of mcpauth', () => {
    const problems = problemsOf(() => load({ env: { ...unset, ...before }, files }))
    expect(`${problems.join('\n')}\n`).toBe(blockOf(PAGE, 'output: first start'))
  })

  it('show what to add to it, and then it starts', () => {
    const env = { ...unset, ...before, ...settingsOf('example: added settings') }
    const { config, warnings } = load({ env, files })
    expect(config.publicUrl.origin).toBe('https://oauth.example.com')
    expect(config.resources[0]?.url).toBe('https://*.example.com')
    expect(warnings).toEqual([])
  })

  it('change labels that a real file has, line by line', () => {
    expect(labelsOf('before')).not.toEqual(labelsOf('after'))
    expect(labelsOf('before').join()).toContain('authResponseHeaders=X-Forwarded-User,')
  })
})
