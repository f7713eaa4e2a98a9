import { describe, expect, it } from 'vitest'
import { signedOutPage, signOutPage } from '../../src/pages/sign-out-page.ts'
import { visibleText } from './read-markup.ts'

describe('signOutPage', () => {
  it('says that nothing has happened yet, and posts to where it was opened', () => {
    const page = signOutPage({ action: '/.gatewarden/logout', host: 'wiki.example.com' })
    expect(page).toContain('<form method="post" action="/.gatewarden/logout">')
    expect(visibleText(page)).toMatch(/Nothing has happened yet.*wiki\.example\.com/)
  })
})

describe('signedOutPage', () => {
  it('says where a person is signed out, and that programs keep their access', () => {
    const text = visibleText(signedOutPage({ host: 'example.com' }))
    expect(text).toContain('no longer signed in at example.com')
    expect(text).toContain('Programs that you let in before keep their access')
    expect(text).not.toContain('may still be signed in')
  })

  it('says that the provider may still know them, and how to come back', () => {
    const page = signedOutPage({ host: 'example.com', provider: 'Keycloak', again: '/again?a&b' })
    expect(visibleText(page)).toContain('You may still be signed in at Keycloak')
    expect(page).toContain('href="/again?a&amp;b"')
  })
})
