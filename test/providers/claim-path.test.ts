/** ed3: claims inside claims. */
import { describe, expect, it } from 'vitest'
import { claimAt } from '../../src/providers/claim-path.ts'
import { ANYONE, resource } from '../support/build-app.ts'
import { startHostileProvider } from '../support/hostile-provider.ts'
import { codeOf } from '../support/oauth-client.ts'
import { signInThere, startJourney } from '../support/provider-journey.ts'

const NOBODY = { ...ANYONE, anyone: false }

describe('ed3: a claim by its name or path', () => {
  const roles = ['staff']
  it.each<[string, unknown, string, unknown]>([
    ['the very name', { groups: roles }, 'groups', roles],
    ['a name with dots, exactly', { 'realm_access.roles': roles }, 'realm_access.roles', roles],
    ['a path', { realm_access: { roles } }, 'realm_access.roles', roles],
    ['the exact name before the path', { 'a.b': roles, a: { b: ['other'] } }, 'a.b', roles],
    [
      'a key with a dot on the way',
      { resource_access: { 'my.client': { roles } } },
      'resource_access.my.client.roles',
      roles,
    ],
    [
      'the longest key first',
      { a: { 'b.c': { d: ['other'] } }, 'a.b': { 'c.d': roles } },
      'a.b.c.d',
      roles,
    ],
    [
      'another way, where the longest key leads nowhere',
      { 'a.b': {}, a: { b: { c: roles } } },
      'a.b.c',
      roles,
    ],
    [
      'a URL as a name',
      { 'https://example.test/groups': roles },
      'https://example.test/groups',
      roles,
    ],
    ['nothing, where a step is a list', { a: [{ b: roles }] }, 'a.0.b', undefined],
    ['nothing, where a step is a text', { a: 'text' }, 'a.length', undefined],
    ['nothing for null', { a: { b: null } }, 'a.b', undefined],
    ['nothing of the prototype', { a: {} }, 'a.constructor.name', undefined],
    ['nothing for dots alone', { a: roles }, '..', undefined],
  ])('is %s', (_what, claims, name, expected) => {
    expect(claimAt(claims, name)).toEqual(expected)
  })

  async function journeyForStaff() {
    const provider = await startHostileProvider()
    const config = { ...provider.config, groupsClaim: 'realm_access.roles' }
    const resources = [resource({ allow: { ...NOBODY, groups: ['staff'] } })]
    return startJourney({ provider: config, resources }, provider)
  }

  it('admits a person by a group that stands inside another claim', async () => {
    const journey = await journeyForStaff()
    journey.provider.lies.claims = (claims) => {
      claims.realm_access = { roles: ['staff'] }
    }
    expect(codeOf(await signInThere(journey))).not.toBe('')
  })

  it('says in the log that the claim is absent, where the person is refused', async () => {
    const journey = await journeyForStaff()
    expect((await signInThere(journey)).statusCode).toBe(403)
    const line = journey.logs.find(({ msg }) => msg === 'person refused')
    expect(line?.reason).toContain(
      'claim realm_access.roles is neither in the ID token nor in userinfo',
    )
  })
})
