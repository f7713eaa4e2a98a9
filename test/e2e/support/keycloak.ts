/**
 * A realm of the run's Keycloak: people, a client for Gatewarden, and a client for another program.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import { inject } from 'vitest'
import { z } from 'zod'
import type { Credentials } from './browser.ts'
import { ADMIN } from './shared-keycloak.ts'

const Token = z.object({ access_token: z.string() })
const Scopes = z.array(
  z.looseObject({
    id: z.string(),
    name: z.string(),
    protocolMappers: z
      .array(z.looseObject({ id: z.string(), config: z.record(z.string(), z.unknown()) }))
      .optional(),
  }),
)
const Things = z.array(z.looseObject({ id: z.string() }))

export interface TestKeycloak {
  /** The issuer of the realm. */
  readonly issuer: string
  /** Gatewarden's settings for this Keycloak. */
  readonly settings: Readonly<Record<string, string>>
  /** Stops it and starts it again with the same data. */
  restart(): Promise<void>
  /** Makes a new key, which signs from now on. */
  rotateKeys(): Promise<void>
  /** Sets whether Keycloak asks people for consent to Gatewarden. */
  askConsent(asked: boolean): Promise<void>
  /** Sets whether ID tokens have the e-mail; userinfo has it in any case. */
  putEmailIntoIdTokens(put: boolean): Promise<void>
  /** Registers a program that can get tokens for a password, or for its own secret, which is its name. */
  addProgram(program: Program): Promise<void>
  /** Enables or disables a person. */
  enable(username: string, isEnabled: boolean): Promise<void>
  /** The number of sessions of a person. */
  sessions(username: string): Promise<number>
  /** Ends every session of a person. */
  logOut(username: string): Promise<void>
  /** Removes the realm. */
  stop(): Promise<void>
}

export interface Program {
  readonly id: string
  /** The audiences of its access tokens besides `account`: clients by their ids, else addresses. */
  readonly audiences?: readonly string[]
  readonly attributes?: Readonly<Record<string, string>>
}

/** A person of the realm, by the name there; the password is `<name>-password`. */
export function person(name: string): Credentials {
  return { name, password: `${name}-password` }
}

/** The other program of the realm. */
export const OTHER_PROGRAM = { id: 'other-program', secret: 'the-secret-of-other-program' }

/** Makes a realm of the Keycloak of this run; the first call starts it, which takes almost a minute. */
export async function startTestKeycloak(): Promise<TestKeycloak> {
  const url = await control('/')
  const realm = `gatewarden-test-${process.pid}-${Date.now()}`
  const model = z
    .looseObject({})
    .parse(JSON.parse(await readFile(new URL('keycloak-realm.json', import.meta.url), 'utf8')))
  await callAdmin(url, { method: 'POST', path: '', body: { ...model, realm } })
  const issuer = `${url}/realms/${realm}`
  const call = (method: string, path: string, body?: unknown) =>
    callAdmin(url, { method, path: `/${realm}${path}`, body })
  const find = async (path: string) => {
    const [found] = Things.parse(await call('GET', path))
    if (!found) throw new Error(`Keycloak has nothing at ${path}`)
    return found
  }
  const findPerson = (name: string) => find(`/users?username=${name}&exact=true`)

  return {
    issuer,
    settings: {
      PROVIDER: 'keycloak',
      ISSUER_URL: issuer,
      CLIENT_ID: 'gatewarden',
      CLIENT_SECRET: 'the-secret-of-gatewarden',
    },
    async restart() {
      await control('/restart')
    },
    async rotateKeys() {
      const { id: parentId } = z.looseObject({ id: z.string() }).parse(await call('GET', ''))
      await call('POST', '/components', {
        name: `rsa-${Date.now()}`,
        providerId: 'rsa-generated',
        providerType: 'org.keycloak.keys.KeyProvider',
        parentId,
        config: {
          priority: [String(Math.floor(Date.now() / 1000))],
          active: ['true'],
          enabled: ['true'],
          algorithm: ['RS256'],
        },
      })
    },
    async askConsent(asked) {
      const client = await find('/clients?clientId=gatewarden')
      await call('PUT', `/clients/${client.id}`, { ...client, consentRequired: asked })
    },
    async putEmailIntoIdTokens(put) {
      const scopes = Scopes.parse(await call('GET', '/client-scopes'))
      const scope = scopes.find(({ name }) => name === 'email')
      for (const mapper of scope?.protocolMappers ?? []) {
        const config = { ...mapper.config, 'id.token.claim': String(put) }
        const path = `/client-scopes/${scope?.id}/protocol-mappers/models/${mapper.id}`
        await call('PUT', path, { ...mapper, config })
      }
    },
    async addProgram({ id, audiences = [], attributes = {} }) {
      const everywhere = { 'access.token.claim': 'true', 'introspection.token.claim': 'true' }
      const audience = (name: string) => ({
        name: `audience ${name}`,
        protocol: 'openid-connect',
        protocolMapper: 'oidc-audience-mapper',
        config: {
          [name.includes(':') ? 'included.custom.audience' : 'included.client.audience']: name,
          'lightweight.claim': 'true',
          ...everywhere,
        },
      })
      await call('POST', '/clients', {
        clientId: id,
        secret: id,
        publicClient: false,
        standardFlowEnabled: false,
        directAccessGrantsEnabled: true,
        serviceAccountsEnabled: true,
        attributes,
        protocolMappers: [
          ...audiences.map(audience),
          {
            name: 'groups',
            protocol: 'openid-connect',
            protocolMapper: 'oidc-group-membership-mapper',
            config: { 'claim.name': 'groups', 'full.path': 'true', ...everywhere },
          },
        ],
      })
    },
    async enable(username, enabled) {
      const { id } = await findPerson(username)
      await call('PUT', `/users/${id}`, { enabled })
    },
    async sessions(username) {
      const { id } = await findPerson(username)
      return Things.parse(await call('GET', `/users/${id}/sessions`)).length
    },
    async logOut(username) {
      const { id } = await findPerson(username)
      await call('POST', `/users/${id}/logout`)
    },
    async stop() {
      await call('DELETE', '')
    },
  }
}

/** Asks for the Keycloak of this run. @returns its address */
async function control(path: string): Promise<string> {
  const answer = await fetch(new URL(path, inject('keycloak')), { method: 'POST' })
  const text = await answer.text()
  if (!answer.ok) throw new Error(text)
  return text
}

/** Calls the admin API with a new token, since tokens live for a minute. */
async function callAdmin(
  url: string,
  { method, path, body }: { method: string; path: string; body: unknown },
): Promise<unknown> {
  const login = await fetch(`${url}/realms/master/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'password',
      client_id: 'admin-cli',
      username: ADMIN.name,
      password: ADMIN.password,
    }),
  })
  const { access_token } = Token.parse(await login.json())
  const answer = await fetch(`${url}/admin/realms${path}`, {
    method,
    headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  if (!answer.ok)
    throw new Error(`Keycloak answered ${answer.status} to ${method} ${path}: ${text}`)
  return text === '' ? undefined : JSON.parse(text)
}
