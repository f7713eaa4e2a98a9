/**
 * The files for an older Traefik are the shipped ones, without the options that it does not know (case sp4).
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseDocument } from 'yaml'
import { ROOT } from '../support/documentation.ts'

const shipped = (name: string) => parseDocument(readFileSync(`${ROOT}traefik/${name}`, 'utf8'))

describe('sp4: traefik/older', () => {
  it('has the static file without aliasHeadersStrategy and encodedCharacters', () => {
    const present = shipped('traefik.yml')
    expect(Object.keys(present.toJS().entryPoints.web.http)).toEqual([
      'aliasHeadersStrategy',
      'encodedCharacters',
    ])
    present.deleteIn(['entryPoints', 'web', 'http'])
    expect(shipped('older/traefik.yml').toJS()).toEqual(present.toJS())
  })

  it('has the dynamic file without maxResponseBodySize', () => {
    const present = shipped('dynamic.yml')
    const login = ['http', 'middlewares', 'gatewarden', 'forwardAuth']
    expect(present.deleteIn([...login, 'maxResponseBodySize'])).toBe(true)
    expect(shipped('older/dynamic.yml').toJS()).toEqual(present.toJS())
  })
})
