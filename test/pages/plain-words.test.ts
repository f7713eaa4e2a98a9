import { expect, it } from 'vitest'
import { errorPage } from '../../src/pages/error-page.ts'
import { visibleText } from './read-markup.ts'

const page = (details: string) =>
  visibleText(
    errorPage({ kind: 'client', title: 'x', text: 'x', details, requestId: 'r', actions: [] }),
  )

it.each([
  ['client_id occurs more than once', 'the id of the program occurs more than once'],
  ['redirect_uri is missing', 'the address for the answer is missing'],
  ['scope holds control characters', 'the list of permissions holds control characters'],
  ['no scopes that are needed', 'no permissions that are needed'],
  ['periscope and microscopes', 'periscope and microscopes'],
])('says of %j: %s', (details, words) => {
  expect(page(details)).toContain(`For the author of the program ${words} `)
})
