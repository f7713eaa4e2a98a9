/**
 * A client with a metadata document, which this process publishes and counts the requests for.
 *
 * @module
 */
import { createServer } from 'node:http'

export interface PublishedClient {
  /** The URL of its document. */
  readonly id: string
  /** How often its document was fetched. */
  fetches(): number
  stop(): void
}

export async function publishClient(): Promise<PublishedClient> {
  let fetches = 0
  const server = createServer((_request, response) => {
    fetches += 1
    const headers = { 'content-type': 'application/json', 'cache-control': 'max-age=86400' }
    response.writeHead(200, headers).end(
      JSON.stringify({
        client_id: id,
        client_name: 'Published client',
        redirect_uris: ['http://localhost/callback'],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'none',
      }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const id = `http://127.0.0.1:${address.port}/client.json`
  return { id, fetches: () => fetches, stop: () => server.close() }
}
