/**
 * Starts Gatewarden from the settings of another system: nothing of ours is there unless the test says so.
 *
 * @module
 */
import { existsSync, readdirSync } from 'node:fs'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { expect } from 'vitest'
import type { Loaded } from '../../src/config/load.ts'
import { type Given, load, problemsOf } from '../config/harness.ts'
import { createBrowser, refreshTarget } from '../support/browser.ts'
import { buildTestApp, type TestApp } from '../support/build-app.ts'
import { ROOT } from '../support/documentation.ts'
import {
  authorizeUrl,
  codeOf,
  REDIRECT_URI,
  type RegisteredClient,
  redeem,
  register,
  type Tokens,
} from '../support/oauth-client.ts'
import { approve } from '../support/provider-journey.ts'
import type { Proof } from './proof.ts'

type Env = NonNullable<Given['env']>

const NOTHING = { PUBLIC_URL: undefined, RESOURCES: undefined, ALLOWED_EMAILS: undefined }

/** @param yaml the whole of `gatewarden.yaml` */
export function loadTheirs(env: Env, yaml = ''): Loaded {
  return load({ env: { ...NOTHING, ...env }, files: { '/srv/gatewarden.yaml': yaml } })
}

export function problemsOfTheirs(env: Env, yaml = ''): readonly string[] {
  return problemsOf(() => loadTheirs(env, yaml))
}

export function startTheirs(env: Env, yaml = ''): Promise<TestApp> {
  const { config } = loadTheirs(env, yaml)
  return buildTestApp(config, config.secret === undefined ? {} : { secret: config.secret })
}

/** Expects a line at the start for each setting, which names the system, and the same configuration as without it. */
export function getsALine(base: () => Env, system: string, settings: Env): Proof {
  return () => {
    const plain = loadTheirs(base())
    for (const [name, value] of Object.entries(settings)) {
      const { config, warnings } = loadTheirs({ ...base(), [name]: value })
      const line = `${name}: is a setting of ${system} and has no effect`
      expect(warnings.filter((warning) => !plain.warnings.includes(warning))).toEqual([
        expect.stringContaining(line),
      ])
      expect(config).toEqual(plain.config)
    }
  }
}

/** Expects no such file in the repository: the page has to change when there is one. */
export function noFile(pattern: RegExp): Proof {
  return () => {
    const files = ['deploy', 'docs', '.github'].flatMap((folder) =>
      existsSync(ROOT + folder)
        ? readdirSync(ROOT + folder, { recursive: true, encoding: 'utf8' }).map(
            (name) => `${folder}/${name}`,
          )
        : [],
    )
    expect(files).toContain('deploy/nginx')
    expect(files.filter((file) => pattern.test(file))).toEqual([])
  }
}

/** A person's way to the provider and back, for a client of the resource. */
export async function signInTheirs(
  app: FastifyInstance,
  where: {
    /** PUBLIC_URL. */
    readonly origin: string
    readonly resource: string
    /** Signs in there; returns the address that the person is sent back to. */
    readonly at: (authorizationUrl: string) => Promise<string>
    /** The client's own; on loopback by default. */
    readonly redirectUri?: string
  },
): Promise<Tokens & { readonly client: RegisteredClient }> {
  const browser = createBrowser(app, where.origin)
  const { resource, redirectUri: redirect_uri = REDIRECT_URI } = where
  const client = await register(app, { redirect_uris: [redirect_uri] })
  const approved = await approve(browser, authorizeUrl(client, { resource, redirect_uri }))
  const back = await browser.get(await where.at(refreshTarget(approved.body)))
  const answer = await redeem(app, client, codeOf(back), { redirect_uri })
  if (answer.statusCode !== 200) throw new Error(`no token: ${answer.body}`)
  return { ...answer.json(), client }
}

/** A request of a client to an address of a host. */
export function send(
  app: FastifyInstance,
  url: string,
  headers: Record<string, string> = {},
  method: 'GET' | 'POST' = 'GET',
): Promise<LightMyRequestResponse> {
  const { host, pathname, search } = new URL(url)
  return app.inject({ method, url: pathname + search, headers: { host, ...headers } })
}
