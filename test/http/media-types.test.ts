/** The media types of bodies, at every endpoint that takes one. */
import { once } from 'node:events'
import { request } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'
import { createBrowser } from '../support/browser.ts'
import { buildTestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  codeOf,
  REDIRECT_URI,
  register,
  signIn,
  VERIFIER,
} from '../support/oauth-client.ts'

const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'

/** Spellings of a list that names the wanted type. */
const naming = (wanted: string, other: string) => [
  `${other}, ${wanted}`,
  `${wanted}, ${other}`,
  `${wanted},${other}`,
  `${wanted}; charset=utf-8, ${other}`,
  `${other};q="a, b"; charset="utf-8" , ${wanted} ; charset=UTF-8`,
  wanted.toUpperCase(),
  `${wanted};charset=utf-8`,
  `${wanted} `,
  `${wanted},`,
  `, ${wanted}`,
]

async function token(
  app: FastifyInstance,
  headers: Record<string, string | string[]>,
  before = '',
) {
  const client = await register(app)
  const code = codeOf(await signIn(createBrowser(app), authorizeUrl(client)))
  const payload = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: client.client_id,
    code,
    redirect_uri: REDIRECT_URI,
    code_verifier: VERIFIER,
  }).toString()
  return app.inject({ method: 'POST', url: '/token', headers, payload: before + payload })
}

const registration = (
  app: FastifyInstance,
  headers: Record<string, string | string[]>,
  before = '',
) =>
  app.inject({
    method: 'POST',
    url: '/register',
    headers,
    payload: before + JSON.stringify({ redirect_uris: [REDIRECT_URI] }),
  })

describe('cl13: a body of the wanted type among others', () => {
  it.each(naming(FORM, JSON_TYPE))('is read by /token: %j', async (type) => {
    const { app } = await buildTestApp()
    expect((await token(app, { 'content-type': type })).statusCode).toBe(200)
  })

  it.each(naming(JSON_TYPE, FORM))('is read by /register: %j', async (type) => {
    const { app } = await buildTestApp()
    expect((await registration(app, { 'content-type': type })).statusCode).toBe(201)
  })

  it('is read by /token and /register without a type', async () => {
    const { app } = await buildTestApp()
    expect((await token(app, {})).statusCode).toBe(200)
    expect((await registration(app, {})).statusCode).toBe(201)
    expect((await registration(app, { 'content-type': '' })).statusCode).toBe(201)
  })

  it('is read behind a byte-order mark, with and without a type', async () => {
    const { app } = await buildTestApp()
    for (const [form, json] of [
      [{ 'content-type': FORM }, { 'content-type': JSON_TYPE }],
      [{}, {}],
    ]) {
      expect((await token(app, form ?? {}, '\ufeff')).statusCode).toBe(200)
      expect((await registration(app, json ?? {}, '\ufeff')).statusCode).toBe(201)
    }
  })

  it('is read by forms of people', async () => {
    const { app } = await buildTestApp()
    for (const type of [`${JSON_TYPE}, ${FORM}`, `${FORM}, text/plain`]) {
      const page = await createBrowser(app).post(
        '/consent',
        { interaction: 'x' },
        {
          'content-type': type,
        },
      )
      expect(page.statusCode).toBe(403)
    }
  })
})

it('cl13: two header lines are one list, in either order', async () => {
  const { app } = await buildTestApp()
  await app.listen({ port: 0, host: '127.0.0.1' })
  const url = new URL(`${app.listeningOrigin}/register`)
  for (const types of [
    [FORM, JSON_TYPE],
    [JSON_TYPE, FORM],
  ]) {
    const asked = request(url, { method: 'POST', headers: { 'content-type': types } })
    asked.end(JSON.stringify({ redirect_uris: [REDIRECT_URI] }))
    const [answer] = await once(asked, 'response')
    answer.resume()
    expect(answer.statusCode).toBe(201)
  }
})

describe('cl13: a refused type', () => {
  it.each([
    ['/token', JSON_TYPE, `the body came as ${JSON_TYPE}, but ${FORM} is wanted`],
    [
      '/token',
      'text/plain, text/html',
      `the body came as text/plain, text/html, but ${FORM} is wanted`,
    ],
    ['/register', FORM, `the body came as ${FORM}, but ${JSON_TYPE} is wanted`],
    ['/register', `a"b\\c`, `the body came as a?b?c, but ${JSON_TYPE} is wanted`],
  ])('at %s: %s is named beside the wanted one', async (url, type, description) => {
    const { app } = await buildTestApp()
    const answer = await app.inject({
      method: 'POST',
      url,
      headers: { 'content-type': type },
      payload: 'a=1',
    })
    expect(answer.statusCode).toBe(415)
    expect(answer.json()).toEqual({ error: 'invalid_request', error_description: description })
  })

  it.each([
    ['/token', '{"grant_type":"x"}', FORM],
    ['/register', 'a=1', JSON_TYPE],
  ])('at %s is also none, with a body of another shape', async (url, payload, wanted) => {
    const { app } = await buildTestApp()
    const answer = await app.inject({ method: 'POST', url, payload })
    expect(answer.statusCode).toBe(415)
    expect(answer.json().error_description).toBe(
      `the body came as no media type, but ${wanted} is wanted`,
    )
  })
})
