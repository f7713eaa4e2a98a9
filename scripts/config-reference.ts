/**
 * Writes the three forms of the configuration reference to the files that people read (`npm run docs:config`).
 *
 * @module
 */
import { writeFileSync } from 'node:fs'
import { configurationPage, envExample, jsonSchema } from '../src/config/reference/reference.ts'

const root = new URL('../', import.meta.url)
writeFileSync(new URL('.env.example', root), envExample())
writeFileSync(new URL('docs/configuration.md', root), configurationPage())
writeFileSync(new URL('gatewarden.schema.json', root), jsonSchema())
