/**
 * The proof of a row of docs/migrate/mcpauth.md: a trial of the gateway here, or a test elsewhere.
 *
 * @module
 */
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { expect } from 'vitest'
import { start } from '../config/effects/start.ts'
import type { Given } from '../config/harness.ts'
import type { TestApp } from '../support/build-app.ts'
import { readPage } from '../support/documentation.ts'

/** Throws if the page is wrong about this row. */
export type Proof = () => unknown

/** Proofs by the numbers of their rows. */
export type Proofs = Readonly<Record<string, Proof>>

/** A proof by a test of another file, which its name finds. */
export function provedBy(file: string, sentence: string): Proof {
  return () => expect(readPage(file)).toContain(sentence)
}

/** Several proofs of one row. */
export function both(...proofs: readonly Proof[]): Proof {
  return async () => {
    for (const proof of proofs) await proof()
  }
}

/** Expects the image to check its own health, without the programs that compose files of others call for it. */
export const checksItself: Proof = () => {
  const image = readPage('Dockerfile')
  expect(image).toMatch(/^HEALTHCHECK .*\bhealthcheck\b/m)
  expect(image).not.toMatch(/\b(?:curl|wget)\b/)
}

/** Starts from an environment of mcpauth, with one server at `https://mcp.example.com/notes/mcp`. */
export function startWith(env: Given['env'] = {}): Promise<TestApp> {
  return start({ PUBLIC_URL: undefined, OAUTH_DOMAIN: 'auth.example.com', ...env })
}

/** Asks the login's host for a path. */
export function ask(
  app: FastifyInstance,
  path: string,
  options: {
    method?: 'GET' | 'POST' | 'DELETE' | 'OPTIONS'
    headers?: Record<string, string>
    form?: Record<string, string>
  } = {},
): Promise<LightMyRequestResponse> {
  const { method = options.form ? 'POST' : 'GET', headers, form } = options
  return app.inject({
    method,
    url: path,
    headers: {
      host: 'auth.example.com',
      ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...headers,
    },
    ...(form && { payload: new URLSearchParams(form).toString() }),
  })
}

/** Expects 404 at these addresses, by every method, on the login's host and on the server's. */
export async function expectNothingAt(app: FastifyInstance, paths: readonly string[]) {
  for (const path of paths) {
    for (const host of ['auth.example.com', 'mcp.example.com']) {
      for (const method of ['GET', 'POST', 'DELETE'] as const) {
        const answer = await ask(app, path, { method, headers: { host } })
        expect(answer.statusCode, `${method} ${path}`).toBe(404)
        expect(answer.json()).toMatchObject({ error: 'not_found' })
      }
    }
  }
}
