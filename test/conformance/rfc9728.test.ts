/** RFC 9728: OAuth 2.0 Protected Resource Metadata. */
import { describe, expect, it } from 'vitest'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { check } from '../support/oauth-client.ts'
import { challengeOf, fetchFrom, ISSUER, resourceMetadata } from './wire.ts'

const WELL_KNOWN = '/.well-known/oauth-protected-resource'

const resources = [
  resource(),
  resource({ id: 'wiki', url: 'https://mcp.example.com/wiki', allow: ANYONE }),
  resource({ id: 'whole', url: 'https://whole.example.com', allow: ANYONE }),
]

/** The well-known part between host and path (section 3.1). */
function metadataUrl(identifier: string): string {
  const { origin, pathname } = new URL(identifier)
  return origin + WELL_KNOWN + (pathname === '/' ? '' : pathname)
}

describe.each(resources.map(({ url }) => url))('the resource %s', (identifier) => {
  it('section 3.1: has its metadata between host and path', async () => {
    const { app } = await buildTestApp({ resources })
    expect((await fetchFrom(app, metadataUrl(identifier))).statusCode).toBe(200)
  })

  it('section 3.3: is named by it with the very identifier the address was made from', async () => {
    const { app } = await buildTestApp({ resources })
    const metadata = await resourceMetadata(app, metadataUrl(identifier))
    expect(metadata.resource).toBe(identifier)
  })

  it('section 5.1: is named by the metadata that its challenge points to', async () => {
    const { app } = await buildTestApp({ resources })
    const { host, pathname } = new URL(identifier)
    const answer = await check(app, {
      'x-forwarded-host': host,
      'x-forwarded-uri': pathname,
    })
    const { parameters } = challengeOf(answer)
    const { resource: named } = await resourceMetadata(app, parameters.resource_metadata ?? '')
    expect(new URL(named).href).toBe(new URL(identifier).href)
  })
})

it('section 3.1: two resources of one host have a document each', async () => {
  const { app } = await buildTestApp({ resources })
  const [notes, wiki] = await Promise.all(
    ['/notes/mcp', '/wiki'].map((path) =>
      resourceMetadata(app, `https://mcp.example.com${WELL_KNOWN}${path}`),
    ),
  )
  expect(notes?.resource).not.toBe(wiki?.resource)
})

it('section 3.2: the document is JSON, given to anybody', async () => {
  const { app } = await buildTestApp()
  const answer = await fetchFrom(app, `https://mcp.example.com${WELL_KNOWN}/notes/mcp`)
  expect(answer.statusCode).toBe(200)
  expect(answer.headers['content-type']).toMatch(/^application\/json(;|$)/)
})

it('section 3.2: members without a value are left out', async () => {
  const { app } = await buildTestApp()
  const document = await resourceMetadata(app, `https://mcp.example.com${WELL_KNOWN}/notes/mcp`)
  for (const value of Object.values(document)) {
    expect(value === null || value === '').toBe(false)
    if (Array.isArray(value)) expect(value).not.toEqual([])
  }
})

it('section 2: authorization_servers holds our issuer to the byte', async () => {
  const { app } = await buildTestApp()
  const document = await resourceMetadata(app, `https://mcp.example.com${WELL_KNOWN}/notes/mcp`)
  expect(document.authorization_servers).toEqual([ISSUER])
})

it('section 2: bearer_methods_supported names the one way we take a token', async () => {
  const { app } = await buildTestApp()
  const document = await resourceMetadata(app, `https://mcp.example.com${WELL_KNOWN}/notes/mcp`)
  expect(document.bearer_methods_supported).toEqual(['header'])
})

it('section 3.2: an address that is not protected here is 404', async () => {
  const { app } = await buildTestApp()
  const answer = await fetchFrom(app, `https://mcp.example.com${WELL_KNOWN}/another`)
  expect(answer.statusCode).toBe(404)
})
