/**
 * Questions without a proxy, from people who try the check with curl on the same machine (decision K40). They are about
 * the only resource there is. A forwarded header of any family, another machine or a second resource ends this: the
 * contract of a proxy is then needed, and a missing header is a refusal as before.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'
import type { Resource, ResourceTable } from '../resources/resource-table.ts'
import { isLoopbackAddress } from '../url/ip-address.ts'
import type { Contract } from './contracts/contract.ts'

/** The headers by which any proxy says that there is one. */
const FORWARDED =
  /^(?:forwarded|via|true-client-ip|x-(?:forwarded|original|real|rewrite|envoy|client|cluster|auth-request|azure|amzn)\b.*|cf-.*|fastly-.*)$/i

export interface DirectQuestions {
  readonly resources: ResourceTable
  /** Called with each such question. */
  readonly onDirect: () => void
}

/** The same contract, which also understands direct questions if exactly one concrete resource is protected. */
export function alsoDirectly(contract: Contract, deps: DirectQuestions | undefined): Contract {
  const resource = deps && onlyOne(deps.resources)
  if (!resource) return contract
  const { host } = new URL(resource.origin)
  return {
    ...contract,
    locate(request) {
      const { method } = request
      if (method === undefined || !isDirect(request)) return contract.locate(request)
      deps.onDirect()
      return { host, target: resource.path || '/', method }
    },
  }
}

function onlyOne({ all }: ResourceTable): Resource | undefined {
  const [resource, ...more] = all
  return more.length === 0 && !resource?.audience.includes('*') ? resource : undefined
}

/** True without any sign of a proxy, from this machine. */
function isDirect({ rawHeaders, socket }: IncomingMessage): boolean {
  return (
    isLoopbackAddress(socket.remoteAddress) &&
    !rawHeaders.some((line, index) => index % 2 === 0 && FORWARDED.test(line))
  )
}
