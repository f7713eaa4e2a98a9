/**
 * The Directory API of Google and its exchange of assertions on loopback, by their documentation. It does everything right
 * until a test changes an answer.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { exportPKCS8, generateKeyPair, jwtVerify } from 'jose'
import { parseServiceAccount } from '../../src/config/values/service-account.ts'
import type { GoogleDirectoryConfig } from '../../src/providers/provider-config.ts'
import { afterTest } from './clean-ups.ts'

type Json = Record<string, unknown>

export const ADMIN = 'reader@example.com'
const CLIENT_EMAIL = 'gatewarden@project.iam.gserviceaccount.com'
const SCOPES = [
  'https://www.googleapis.com/auth/admin.directory.user.readonly',
  'https://www.googleapis.com/auth/admin.directory.group.readonly',
]

export interface DirectoryStandIn {
  readonly url: string
  /** The key file as Google makes it. */
  readonly keyFile: string
  /** For `testConfig`. */
  readonly config: GoogleDirectoryConfig
  /** The account that the directory has, by its id; null means that it has none. */
  users: Record<string, Json | null>
  /** Addresses of the groups of everybody. */
  groups: string[]
  /** Groups on a page, whatever the request wants. */
  pageSize: number
  /** Assertions so far, verified. */
  readonly assertions: Json[]
  /** Paths that were asked, with their queries. */
  readonly asked: string[]
  /** Ends every token so far. */
  endTokens(): void
  /** Answers in place of everything else; true if it answered. */
  answer: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined
}

/** The same key for all: making a key takes longer than most tests. */
const keyPair = generateKeyPair('RS256', { extractable: true })

/** @param now milliseconds since the epoch, by which assertions are judged */
export async function startDirectory(now: () => number = Date.now): Promise<DirectoryStandIn> {
  const { publicKey, privateKey } = await keyPair
  const tokens = new Set<string>()
  const assertions: Json[] = []
  const asked: string[] = []

  async function exchange(form: URLSearchParams): Promise<readonly [number, Json]> {
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') {
      return [400, { error: 'unsupported_grant_type' }]
    }
    try {
      const { payload, protectedHeader } = await jwtVerify(form.get('assertion') ?? '', publicKey, {
        issuer: CLIENT_EMAIL,
        audience: `${directory.url}/token`,
        subject: ADMIN,
        currentDate: new Date(now()),
        maxTokenAge: 3600,
      })
      assertions.push({ ...protectedHeader, ...payload })
      if (payload.scope !== SCOPES.join(' ')) return [401, { error: 'unauthorized_client' }]
    } catch {
      return [400, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' }]
    }
    const token = `ya29.c.${assertions.length}`
    tokens.add(token)
    return [200, { access_token: token, expires_in: 3599, token_type: 'Bearer' }]
  }

  function read(url: URL): readonly [number, Json] {
    asked.push(url.pathname + url.search)
    const [, key] = /^\/admin\/directory\/v1\/users\/(.+)$/.exec(url.pathname) ?? []
    if (key !== undefined) {
      const user = directory.users[decodeURIComponent(key)]
      return user ? [200, { kind: 'admin#directory#user', ...user }] : NOT_FOUND
    }
    if (url.pathname !== '/admin/directory/v1/groups') return [404, {}]
    const user = directory.users[url.searchParams.get('userKey') ?? '']
    if (!user) return NOT_FOUND
    const size = Math.min(directory.pageSize, Number(url.searchParams.get('maxResults') ?? 200))
    const from = Number(url.searchParams.get('pageToken') ?? 0)
    const groups = directory.groups.slice(from, from + size)
    const isLast = from + size >= directory.groups.length
    return [
      200,
      {
        kind: 'admin#directory#groups',
        // An account without groups has no such member.
        ...(groups.length > 0 && { groups: groups.map((email) => ({ email, name: 'A group' })) }),
        ...(!isLast && { nextPageToken: String(from + size) }),
      },
    ]
  }

  const server = createServer(async (request, response) => {
    if (directory.answer?.(request, response)) return
    const url = new URL(request.url ?? '/', 'http://google')
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    const [status, json] =
      url.pathname === '/token'
        ? await exchange(new URLSearchParams(await text(request)))
        : tokens.has(bearer ?? '')
          ? read(url)
          : ([401, { error: { code: 401, message: 'Invalid Credentials' } }] as const)
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(json))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  const url = `http://127.0.0.1:${address.port}`
  const keyFile = JSON.stringify({
    type: 'service_account',
    project_id: 'project',
    private_key_id: '0123456789abcdef',
    private_key: await exportPKCS8(privateKey),
    client_email: CLIENT_EMAIL,
    token_uri: `${url}/token`,
  })

  const directory: DirectoryStandIn = {
    url,
    keyFile,
    config: { ...parseServiceAccount(keyFile), url, subject: ADMIN, namedGroups: [] },
    users: {},
    groups: ['Staff@example.com'],
    pageSize: 200,
    assertions,
    asked,
    endTokens: () => tokens.clear(),
    answer: undefined,
  }
  afterTest(async () => {
    server.close()
    server.closeAllConnections()
    if (server.listening) await once(server, 'close')
  })
  return directory
}

const NOT_FOUND = [
  404,
  {
    error: {
      code: 404,
      message: 'Resource Not Found: userKey',
      errors: [{ message: 'Resource Not Found: userKey', domain: 'global', reason: 'notFound' }],
    },
  },
] as const
