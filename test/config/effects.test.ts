import { expect, it } from 'vitest'
import { type SettingKey, settings } from '../../src/config/schema.ts'
import { brand } from './effects/brand.ts'
import { oauth } from './effects/oauth.ts'
import { people } from './effects/people.ts'
import { program } from './effects/program.ts'
import { provider } from './effects/provider.ts'
import { sectionNames, sections } from './effects/sections.ts'
import { server } from './effects/server.ts'
import { sessions } from './effects/sessions.ts'
import type { Effect } from './effects/start.ts'
import { store } from './effects/store.ts'

const flat: Record<SettingKey, Effect> = {
  ...server,
  ...sessions,
  ...people,
  ...oauth,
  ...provider,
  ...program,
  ...store,
  ...brand,
}

it('has a test for every setting and for every entry of the sections', () => {
  expect(Object.keys(flat).toSorted()).toEqual(settings.map(({ key }) => key).toSorted())
  expect(Object.keys(sections).toSorted()).toEqual(sectionNames.toSorted())
})

it.each(Object.entries({ ...flat, ...sections }))(
  '%s takes effect',
  async (_name, effect) => {
    await effect()
  },
  30_000,
)
