import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { describe, expect, it } from 'vitest'
import { configurationPage, envExample, jsonSchema } from '../../src/config/reference/reference.ts'
import { EXAMPLE_FILE } from '../../src/config/reference/text.ts'
import { settings } from '../../src/config/schema.ts'
import { HASH, load, problemsOf } from './harness.ts'

const repository = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const unset = { PUBLIC_URL: undefined, RESOURCES: undefined, ALLOWED_EMAILS: undefined }

describe('the reference (fix it with: npm run docs:config)', () => {
  it('is up to date', () => {
    expect(repository('.env.example')).toBe(envExample())
    expect(repository('docs/configuration.md')).toBe(configurationPage())
    expect(JSON.parse(repository('gatewarden.schema.json'))).toEqual(JSON.parse(jsonSchema()))
  })

  it('has an .env.example that starts once there are users', () => {
    expect(problemsOf(() => load({ env: unset, files: { '/srv/.env': envExample() } }))).toEqual([])
  })

  it('names every setting in .env.example, with values that load', () => {
    const uncommented = parseEnv(envExample().replace(/^# (?=[A-Z_]+=)/gm, ''))
    expect(Object.keys(uncommented).toSorted()).toEqual(settings.map(({ name }) => name).toSorted())
    const document = {
      client_id: 'https://vscode.dev/oauth/client-metadata.json',
      client_name: 'Visual Studio Code',
      redirect_uris: ['https://vscode.dev/redirect'],
    }
    const files = { [uncommented.CLIENT_METADATA_PINNED ?? '']: JSON.stringify(document) }
    expect(problemsOf(() => load({ env: { ...unset, ...uncommented }, files }))).toEqual([])
  })

  it('has an example file that loads once it holds a hash', () => {
    const files = { '/srv/gatewarden.yaml': EXAMPLE_FILE.replace('$argon2id$...', () => HASH) }
    const { config } = load({ env: unset, files })
    expect(config.resources.map(({ id }) => id)).toEqual(['notes', 'labs'])
  })

  it('describes every setting of the file to an editor', () => {
    const schema = JSON.parse(jsonSchema())
    expect(Object.keys(schema.properties)).toEqual(
      expect.arrayContaining([...settings.map(({ key }) => key), 'allow', 'users', 'secret_file']),
    )
    expect(schema.properties.users.additionalProperties.additionalProperties).toBe(false)
  })
})
