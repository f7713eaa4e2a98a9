/**
 * Client ID Metadata Documents: the hosts that count, and the documents that the operator keeps a copy of.
 *
 * @module
 */
import { OAuthError } from '../../errors.ts'
import { clientIdUrlProblem, isClientIdUrl } from '../../oauth/clients/client-id-url.ts'
import { parsePinnedDocument, SELF_DECLARED_GRANTS } from '../../oauth/clients/metadata-document.ts'
import type { MetadataHosts } from '../../oauth/clients/metadata-hosts.ts'
import { createResourceTable, type ResourceConfig } from '../../resources/resource-table.ts'
import type { Config } from '../config.ts'
import type { Disk } from '../sources/disk.ts'
import type { Chosen } from '../sources/precedence.ts'
import { ownAddress } from '../values/path-prefix.ts'
import { attempt, InvalidValue, type Report } from '../values/problem.ts'

interface Parts extends Chosen {
  readonly disk: Disk
  readonly report: Report
  readonly resources: readonly ResourceConfig[]
}

const HOSTS = 'CLIENT_METADATA_HOSTS'

export function buildClientMetadata(parts: Parts): Config['clientMetadata'] {
  const { settings, report } = parts
  const loopback = settings.client_metadata_loopback
  // The draft allows it only to a server that itself is on loopback (section 8.6).
  if (loopback && settings.public_url && !settings.public_url.loopback) {
    report.problem(
      'CLIENT_METADATA_LOOPBACK',
      'is for a gateway on this machine alone: strangers could make it call its neighbours. Remove it.',
    )
  }
  return {
    hosts: {
      allowed: allowedHosts(parts),
      denied: settings.client_metadata_denied_hosts ?? [],
    } satisfies MetadataHosts,
    pinned: pinnedDocuments(parts),
    loopback,
  }
}

/** Unset, the operator who lets no client register wants none that nobody knows. */
function allowedHosts({ settings, report }: Parts): readonly string[] {
  const given = settings.client_metadata_hosts
  const { client_registration: registration } = settings
  const isOff = registration.length === 0 || registration.includes('off')
  if (given === undefined) return isOff ? [] : ['open']
  if (!given.includes('off')) return given
  if (given.length > 1) report.problem(HOSTS, 'off cannot stand in a list. Write it alone.')
  return []
}

function pinnedDocuments(parts: Parts): Readonly<Record<string, string>> {
  const pinned: Record<string, string> = {}
  for (const path of parts.settings.client_metadata_pinned ?? []) {
    const label = `CLIENT_METADATA_PINNED.${path}`
    const read = attempt(parts.report, label, () => readPinned(path, parts))
    if (!read) continue
    if (Object.hasOwn(pinned, read.clientId)) {
      parts.report.problem(label, 'is a second document of one client. Remove one of the two.')
    }
    pinned[read.clientId] = read.text
  }
  return pinned
}

/** @throws InvalidValue if the file is no metadata document that can be used here */
function readPinned(path: string, parts: Parts): { clientId: string; text: string } {
  const text = parts.disk.find(path)
  if (text === undefined) throw new InvalidValue('there is no such file. Check the path.')
  const clientId = clientIdOf(text)
  const problem = clientIdUrlProblem(clientId, { loopback: false })
  if (problem !== undefined) {
    throw new InvalidValue(
      `its client_id ${problem}. Save the document as the client publishes it.`,
    )
  }
  try {
    parsePinnedDocument(text, clientId, {
      redirectRules: {
        ownOrigin: ownAddress(parts.settings),
        callbackPath: parts.settings.callback_path,
        isProtected: createResourceTable(parts.resources).hasHost,
        isOpenedScheme: (scheme) => parts.settings.client_registration.includes(`${scheme}:`),
      },
      grantTypes: SELF_DECLARED_GRANTS,
    })
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    throw new InvalidValue(`${error.description}. Save the document as the client publishes it.`)
  }
  return { clientId, text }
}

function clientIdOf(text: string): string {
  try {
    const document: unknown = JSON.parse(text)
    if (typeof document === 'object' && document !== null && 'client_id' in document) {
      const { client_id: clientId } = document
      if (typeof clientId === 'string' && isClientIdUrl(clientId)) return clientId
    }
  } catch {
    throw new InvalidValue('is not JSON. Save the document as the client publishes it.')
  }
  throw new InvalidValue(
    'has no client_id that is a URL. Save the document as the client publishes it.',
  )
}
