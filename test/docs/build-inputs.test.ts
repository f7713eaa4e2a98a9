/**
 * The inputs of a build are the ones that were chosen (case at17, threat T54).
 *
 * @module
 */
import { expect, it } from 'vitest'
import { z } from 'zod'
import { readPage } from '../support/documentation.ts'

const Lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      integrity: z.string().optional(),
      link: z.boolean().optional(),
      resolved: z.string().optional(),
    }),
  ),
})

it('at17: T54: every package of the lock file has an integrity', () => {
  const { packages } = Lock.parse(JSON.parse(readPage('package-lock.json')))
  const entries = Object.entries(packages).filter(([path]) => path !== '')
  expect(entries.length).toBeGreaterThan(100)
  const lacking = entries.filter(
    ([, { integrity, link }]) => link || !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ''),
  )
  expect(lacking.map(([path]) => path)).toEqual([])
})

it('at17: T54: no package of the lock file comes from elsewhere than the registry', () => {
  const { packages } = Lock.parse(JSON.parse(readPage('package-lock.json')))
  const elsewhere = Object.entries(packages).filter(
    ([, { resolved }]) =>
      resolved !== undefined && !resolved.startsWith('https://registry.npmjs.org/'),
  )
  expect(elsewhere).toEqual([])
})

/** A digest can only come from the registry of images; until then a tag with a version is the least. */
it('at17: T54: every base image names a version or a digest', () => {
  const files = [
    'Dockerfile',
    'deploy/sample-mcp/Dockerfile',
    'deploy/sample-stdio/Dockerfile',
    'deploy/samples/headers.Dockerfile',
    'deploy/samples/node.Dockerfile',
    'deploy/samples/python.Dockerfile',
  ]
  const images = [
    ...files.flatMap((file) => [...readPage(file).matchAll(/^FROM (\S+)/gm)]),
    ...readPage('docker-compose.yml').matchAll(/^\s+image: (\S+)/gm),
  ].map(([, image]) => image ?? '')
  expect(images.length).toBeGreaterThan(5)
  const vague = images.filter(
    (image) => !/^[\w./-]+(?::v?\d[\w.-]*)(?:@sha256:[0-9a-f]{64})?$/.test(image),
  )
  expect(vague).toEqual([])
})
