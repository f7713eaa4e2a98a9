/**
 * An OAuth client, its person and its proxy. They take each step at the next of several processes.
 *
 * @module
 */
import { createHash, randomBytes } from 'node:crypto'
import { Agent, request } from 'node:http'
import { type Credentials, createBrowser } from './browser.ts'
import { registerClient } from './hand-client.ts'
import { type Exchange, exchange } from './http-exchange.ts'

export type Answer = Pick<Exchange, 'status' | 'headers' | 'body'>

export interface ReplicaClient {
  /** Signs the person in at the issuer and returns the code. Rejects with the text of the page where it ended. */
  obtainCode(): Promise<string>
  redeem(code: string): Promise<Answer>
  refresh(refreshToken: string): Promise<Answer>
  /** Asks `/auth/traefik` as a proxy does, over keep-alive connections. */
  check(accessToken: string): Promise<Answer>
  close(): void
}

export interface ReplicaClientOptions {
  /** `host:port` of each process. People sign in at the issuer, which is one of them. */
  readonly processes: readonly string[]
  readonly issuer: string
  readonly resource: string
  readonly person: Credentials
}

const REDIRECT_URI = 'http://127.0.0.1:9/callback'

export async function createReplicaClient(options: ReplicaClientOptions): Promise<ReplicaClient> {
  const { processes, issuer, resource, person } = options
  const { clientId } = await registerClient({ issuer, resource, redirectUri: REDIRECT_URI })
  const verifier = randomBytes(32).toString('base64url')
  const agent = new Agent({ keepAlive: true })
  let turn = 0
  const next = () => processes[turn++ % processes.length] ?? ''

  const authorizationUrl = new URL('/authorize', issuer)
  authorizationUrl.search = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: REDIRECT_URI,
    resource,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString()

  const token = (parameters: Readonly<Record<string, string>>) =>
    exchange(new URL('/token', `http://${next()}`), {
      method: 'POST',
      headers: {
        host: new URL(issuer).host,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ client_id: clientId, resource, ...parameters }).toString(),
    })

  return {
    async obtainCode() {
      const callback = await createBrowser().signIn(authorizationUrl, { ...person, deliver: false })
      const code = callback.searchParams.get('code')
      if (code === null) throw new Error(`there is no code: ${callback.search}`)
      return code
    },
    redeem: (code) =>
      token({
        grant_type: 'authorization_code',
        code,
        redirect_uri: REDIRECT_URI,
        code_verifier: verifier,
      }),
    refresh: (refreshToken) => token({ grant_type: 'refresh_token', refresh_token: refreshToken }),
    check: (accessToken) =>
      check(`http://${next()}/auth/traefik`, { agent, resource, accessToken }),
    close: () => agent.destroy(),
  }
}

function check(
  url: string,
  options: { agent: Agent; resource: string; accessToken: string },
): Promise<Answer> {
  const { agent, resource, accessToken } = options
  const { host, pathname } = new URL(resource)
  return new Promise((resolve, reject) => {
    const headers = {
      'x-forwarded-method': 'POST',
      'x-forwarded-host': host,
      'x-forwarded-uri': pathname,
      authorization: `Bearer ${accessToken}`,
    }
    const outgoing = request(url, { agent, headers, signal: AbortSignal.timeout(10_000) })
    outgoing.on('error', reject)
    outgoing.on('response', (incoming) => {
      const chunks: string[] = []
      incoming.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        const headers = Object.entries(incoming.headersDistinct).map(([name, lines]) => [
          name,
          lines?.join(', ') ?? '',
        ])
        resolve({
          status: incoming.statusCode ?? 0,
          headers: Object.fromEntries(headers),
          body: chunks.join(''),
        })
      })
    })
    outgoing.end()
  })
}
