/**
 * Says which resources share the host of our own pages, where their scripts could act as the people who sign in
 * (decision K36). Those that pass-through or a recipe keeps apart need no word.
 *
 * @module
 */
import type { ResourceConfig } from '../../resources/resource-table.ts'
import { sharedHostOf } from '../../resources/shared-host.ts'
import type { FileContents } from '../sources/file.ts'
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'

interface Parts extends Chosen {
  readonly file: FileContents
  readonly resources: readonly ResourceConfig[]
  readonly report: Report
}

const OWN_HOST = 'Give PUBLIC_URL a host of its own'

/** Warns of each such resource by name. Under `PROD_MODE` it is a problem. */
export function checkSharedHost({ settings, file, resources, report }: Parts): void {
  const { public_url: publicUrl, prod_mode: live } = settings
  if (!publicUrl) return
  const say = live ? report.problem : report.warning
  const refused = live ? ', which PROD_MODE refuses' : ''
  const { path_prefix: prefix } = settings
  if (prefix !== undefined && !isWholeHostGuarded(resources, publicUrl.origin)) {
    say(
      'PATH_PREFIX',
      `lets the pages of other programs on the host of PUBLIC_URL act as the people who sign in${refused}. ${OWN_HOST} and leave PATH_PREFIX out, or let a resource cover the whole host, with upstream or with shared_host: sandboxed.`,
    )
  }
  for (const resource of resources) {
    const { id } = resource
    const { field, url, shared } = sharedAddressOf(resource, publicUrl.origin)
    switch (shared) {
      case 'unguarded':
        say(
          file.resources ? `resources.${id}.${field}` : 'RESOURCES',
          `${url} is on the host of PUBLIC_URL, and its pages may be able to act as the people who sign in${refused}. ${OWN_HOST}, or use the shipped files for one host and set shared_host: sandboxed in gatewarden.yaml.`,
        )
        break
      case 'pages':
        say(
          `resources.${id}.shared_host`,
          `pages lets the pages of this server act as the people who sign in${refused}. ${OWN_HOST}, or remove the setting.`,
        )
        break
      case undefined:
        if (resource.sharedHost === undefined) break
        report.warning(
          `resources.${id}.shared_host`,
          'has no effect, because this resource is not on the host of PUBLIC_URL. Remove it.',
        )
        break
      case 'sandboxed':
    }
  }
}

/** True if a server in a sandbox has every path of the host that is not ours. */
const isWholeHostGuarded = (resources: readonly ResourceConfig[], publicUrl: string): boolean =>
  resources.some(
    (resource) =>
      new URL(resource.url).pathname === '/' && sharedHostOf(resource, publicUrl) === 'sandboxed',
  )

/** The first address of a resource that is on our host; its URL if none is. */
function sharedAddressOf(resource: ResourceConfig, publicUrl: string) {
  const addresses = [
    { field: 'url', url: resource.url },
    ...(resource.aliases ?? []).map((url) => ({ field: 'aliases', url })),
  ].map((address) => ({
    ...address,
    shared: sharedHostOf({ ...resource, url: address.url }, publicUrl),
  }))
  const found = addresses.find(({ shared }) => shared !== undefined)
  return found ?? { field: 'url', url: resource.url, shared: undefined }
}
