import { createHash } from 'node:crypto'
import { Script } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { FRAGMENT_SCRIPTS } from '../../src/pages/fragment.ts'
import { type LoginPage, loginPage, loginPageHeaders } from '../../src/pages/login-page.ts'
import { attribute, tags, visibleText } from './read-markup.ts'

const BASE = {
  action: '/login',
  interaction: 'sealed',
  resourceName: 'Team notes',
  host: 'mcp.example.com',
  clientName: 'Claude Code',
}
const render = (over: Partial<LoginPage> = {}) => loginPage({ ...BASE, ...over })

const field = (page: string, name: string) =>
  tags(page).find((tag) => tag.startsWith('<input') && attribute(tag, 'name') === name)

describe('loginPage', () => {
  it('says which program and which server it is for', () => {
    expect(visibleText(render())).toMatch(/so that Claude Code can use Team notes/)
  })

  it('says which server alone where no program asked', () => {
    const page = loginPage({
      action: '/login',
      interaction: 'sealed',
      resourceName: 'Wiki',
      host: 'w.test',
    })
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

  it('fp3: names the host, and shows what the operator says about a forgotten password', () => {
    const page = render({ help: 'Call 1234.' })
    expect(visibleText(page)).toMatch(/at mcp\.example\.com .* Call 1234\./)
  })

  it('fp3: has a way back to the program, by a form that carries no name and no password', () => {
    const page = render({ cancelAction: '/consent' })
    const form = /<form id="cancel" method="post" action="\/consent">(.*?)<\/form>/s.exec(page)
    expect(form?.[1]).toBe('<input type="hidden" name="interaction" value="sealed">')
    expect(page).toContain('form="cancel" name="decision" value="deny">Cancel</button>')
    expect(render()).not.toContain('Cancel')
  })

  it('fp3: shows the password by a script that its policy allows, and by no other', () => {
    const scripts = [...render().matchAll(/<script>(.*?)<\/script>/gs)].map(([, script = '']) => {
      expect(() => new Script(`(() => {${script}})`)).not.toThrow()
      return `'sha256-${createHash('sha256').update(script).digest('base64')}'`
    })
    expect(scripts).toHaveLength(1)
    const policy = loginPageHeaders()['Content-Security-Policy']
    expect(policy).toContain(`; script-src ${scripts[0]} ${FRAGMENT_SCRIPTS.carry}`)
    expect(render()).toMatch(/<button [^>]*id="show" type="button"[^>]* hidden>/)
  })

  it('ed9: carries the fragment of a page, and none to a client', () => {
    const { clientName: _, ...page } = { ...BASE }
    expect(loginPage(page)).toContain('<form method="post" action="/login" data-fragment>')
    expect(loginPage(page).match(/<script>/g)).toHaveLength(2)
    expect(render({ cancelAction: '/consent' })).not.toContain('data-fragment')
  })

  it('has no trace of a problem when there is none', () => {
    expect(render()).not.toMatch(/role="alert"|aria-describedby/)
  })
})
