/** What no request can be made of: a browser with too many cookies, and bytes that are no HTTP. */
import { describe, expect, it } from 'vitest'
import { buildTestApp } from '../support/build-app.ts'
import { listen, open } from '../support/raw-http.ts'

const start = async () => listen((await buildTestApp()).app)

/** Sends the pieces one after the other, and returns all that comes until the connection has ended. */
async function send(port: number, pieces: readonly string[]): Promise<string> {
  const connection = await open(port)
  for (const piece of pieces) {
    await new Promise<void>((resolve) => {
      connection.socket.write(piece, 'latin1', () => resolve())
    })
  }
  return connection.ended()
}

describe('a person whose browser has too many cookies for the host', () => {
  const head = (path: string) =>
    `GET ${path} HTTP/1.1\r\nHost: auth.example.com\r\nAccept: text/html\r\nCookie: a=`

  it.each(['/authorize?x=1', '/login', '/.gatewarden/login', '/auth/traefik', '/notes/mcp'])(
    'is told so, whatever the browser still sends: %s',
    async (path) => {
      const cookies = Array.from({ length: 12 }, () => 'x'.repeat(32_000))
      const answer = await send(await start(), [head(path), ...cookies, '\r\n\r\n'])
      expect(answer).toMatch(/^HTTP\/1\.1 431 /)
      expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
      expect(answer).toContain('Your browser sends too many cookies')
      expect(answer.endsWith('</html>\n') || answer.endsWith('</html>')).toBe(true)
    },
  )

  it('gets a page like any other, with the number of the request', async () => {
    const answer = await send(await start(), [head('/'), 'x'.repeat(70_000)])
    const [fields = '', page = ''] = answer.split('\r\n\r\n')
    expect(fields).toMatch(/^content-type: text\/html; charset=utf-8$/im)
    expect(fields).toMatch(/^content-security-policy: default-src 'none'/im)
    expect(fields).toMatch(/^connection: close$/im)
    const id = /^x-request-id: (.+)$/im.exec(fields)?.[1] ?? 'none'
    expect(page).toContain(id)
    expect(fields).toMatch(
      new RegExp(`^content-length: ${Buffer.byteLength(page, 'latin1')}$`, 'im'),
    )
  })
})

it.each([
  ['\x16\x03\x01\x00\x05hello'],
  ['GET / HTTP/1.1\nHost: auth.example.com\n\n'],
  ['GET / HTTP/1.1\r\nHost: auth.example.com\r\nno header\r\n\r\n'],
  ['POST /token HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['GET /\xfc HTTP/1.1\r\nHost: auth.example.com\r\n\r\n'],
])('what is no request gets a refusal in our form: %j', async (bytes) => {
  const answer = await send(await start(), [bytes])
  expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toEqual({
    error: 'invalid_request',
    error_description: 'this is not an HTTP request that can be read',
  })
})
