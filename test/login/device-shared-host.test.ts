/**
 * The device grant on a host that a protected server shares: a page of that server can post a form to ours and press its
 * buttons, so it must get none of them (T35).
 */
import { beforeEach, describe, expect, it } from 'vitest'
import { type Browser, createBrowser, hiddenField } from '../support/browser.ts'
import { buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import { beginDevice, type Codes, registerDevice, typeCode } from '../support/device.ts'
import { authorizeUrl, register } from '../support/oauth-client.ts'
import { decide, expectConsent, expectPage } from '../support/steps.ts'

const shared = resource({ id: 'shared', url: 'https://auth.example.com/mcp', sharedHost: 'pages' })
const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' }

let gateway: TestApp
let codes: Codes
let browser: Browser
beforeEach(async () => {
  gateway = await buildTestApp({ resources: [shared] })
  codes = await beginDevice(gateway.app, await registerDevice(gateway.app))
  browser = createBrowser(gateway.app)
})

describe('T35: a page of a server on our host', () => {
  it('posts no code of its own choice', async () => {
    const answer = await typeCode(browser, codes.user_code)
    expectPage(answer, 403)
    expect(answer.body).not.toContain('value="approve"')
    expect(answer.body).not.toContain('name="proof"')
    expect(browser.cookies.size).toBe(0)
  })

  it('gets no form by saying that a person wants to type another code', async () => {
    const answer = await browser.post('/device', { another: 'yes' })
    expectPage(answer, 403)
    expect(answer.body).not.toContain('name="proof"')
  })

  it('posts no proof of another browser', async () => {
    const page = await createBrowser(gateway.app).get('/device')
    const proof = hiddenField(page.body, 'proof')
    await browser.get('/device')
    expectPage(await browser.post('/device', { user_code: codes.user_code, proof }), 403)
  })

  it.each(['approve', 'deny', 'restart', 'someone-else'] as const)(
    'gets no consent page for a request that its own browser began: %s',
    async (decision) => {
      const attacker = createBrowser(gateway.app)
      const url = authorizeUrl(await register(gateway.app), { resource: shared.url })
      const interaction = hiddenField((await attacker.get(url)).body, 'interaction')
      for (const path of ['/consent', '/authorize/consent']) {
        const answer = await browser.post(path, { interaction, decision })
        expectPage(answer, 403)
        expect(answer.body).not.toContain('value="approve"')
      }
      const opened = await browser.get(`/login?interaction=${interaction}`, SAME_ORIGIN)
      expectPage(opened, 403)
    },
  )
})

it('a person types the code in our own form', async () => {
  const page = await browser.get(codes.verification_uri_complete)
  const proof = hiddenField(page.body, 'proof')
  const wrong = await browser.post('/device', { user_code: 'BBBB-BBBB', proof })
  expectPage(wrong, 400)
  const fields = { user_code: codes.user_code, proof: hiddenField(wrong.body, 'proof') }
  const consent = await browser.post('/device', fields)
  expectConsent(consent)
  expect((await decide(browser, consent)).statusCode).toBe(200)
})
