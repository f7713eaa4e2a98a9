import { describe, expect, it } from 'vitest'
import { type LoginPage, loginPage } from '../../src/pages/login-page.ts'
import { attribute, tags, visibleText } from './read-markup.ts'

const render = (over: Partial<LoginPage> = {}) =>
  loginPage({
    action: '/login',
    interaction: 'sealed',
    resourceName: 'Team notes',
    clientName: 'Claude Code',
    ...over,
  })

const field = (page: string, name: string) =>
  tags(page).find((tag) => tag.startsWith('<input') && attribute(tag, 'name') === name)

describe('loginPage', () => {
  it('says which program and which server it is for', () => {
    expect(visibleText(render())).toMatch(/so that Claude Code can use Team notes/)
  })

  it('says which server alone where no program asked', () => {
    const page = loginPage({ action: '/login', interaction: 'sealed', resourceName: 'Wiki' })
    expect(visibleText(page)).toMatch(/Sign in to Wiki/)
    expect(visibleText(page)).not.toContain('so that')
  })

  it('posts the interaction, a name and a password that password managers recognise', () => {
    const page = render()
    expect(page).toContain('<form method="post" action="/login">')
    expect(attribute(field(page, 'interaction'), 'value')).toBe('sealed')
    expect(attribute(field(page, 'username'), 'autocomplete')).toBe('username')
    expect(attribute(field(page, 'password'), 'autocomplete')).toBe('current-password')
    expect(attribute(field(page, 'password'), 'type')).toBe('password')
  })

  it('starts in the name, and after a mistake keeps it and starts in the password', () => {
    const fresh = render()
    expect(field(fresh, 'username')).toContain(' autofocus')
    expect(field(fresh, 'password')).not.toContain('autofocus')
    const again = render({ name: 'a"nn', problem: { kind: 'wrong' } })
    expect(attribute(field(again, 'username'), 'value')).toBe('a"nn')
    expect(field(again, 'username')).not.toContain('autofocus')
    expect(field(again, 'password')).toContain(' autofocus')
    expect(attribute(field(again, 'password'), 'value')).toBeUndefined()
  })

  it.each<[LoginPage['problem'] & object, RegExp]>([
    [{ kind: 'wrong' }, /This name and password do not match/],
    [{ kind: 'locked', seconds: 32 }, /too many wrong attempts with this name\. Wait 32 seconds/],
    [{ kind: 'locked', seconds: 0.2 }, /Wait 1 second, /],
    [{ kind: 'busy', seconds: 5 }, /Many people are signing in at this moment\. Wait 5 seconds/],
  ])('announces the problem %o and ties both fields to it', (problem, words) => {
    const page = render({ name: 'ann', problem })
    const alert = tags(page).find((tag) => attribute(tag, 'role') === 'alert')
    const id = attribute(alert, 'id')
    expect(id).toBeTruthy()
    expect(attribute(field(page, 'username'), 'aria-describedby')).toBe(id)
    expect(attribute(field(page, 'password'), 'aria-describedby')).toBe(id)
    expect(visibleText(page)).toMatch(words)
    expect(page.match(/<title>([^<]*)</)?.[1]).toContain('Not signed in')
  })

  it('marks the fields as wrong only when they were', () => {
    const marked = (page: string) => page.match(/aria-invalid="true"/g)?.length ?? 0
    expect(marked(render({ name: 'ann', problem: { kind: 'wrong' } }))).toBe(2)
    expect(marked(render({ name: 'ann', problem: { kind: 'locked', seconds: 9 } }))).toBe(0)
    expect(marked(render())).toBe(0)
  })

  it('has no trace of a problem when there is none', () => {
    expect(render()).not.toMatch(/role="alert"|aria-describedby/)
  })
})
