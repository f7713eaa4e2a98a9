/**
 * Emits what became of each check as an event. An allowed check makes no event unless somebody wants every decision, or
 * it is the first one of its credential for an hour. No event has a token or a query.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'
import type { Verified } from '../credentials/credential.ts'
import type { Events } from '../events.ts'
import type { ClientAddress } from '../http/client-address.ts'
import { shortClient } from '../oauth/grant-facts.ts'
import { type UserNames, uniqueUser } from '../oauth/user-name.ts'
import type { AnsweredCheck, ReportCheck } from './check.ts'
import { callerAt } from './identity-headers.ts'
import type { ProxyFaults } from './proxy-faults.ts'

/** A person may be in thousands of groups; the first ones show how the provider writes them. */
const MAX_GROUPS = 50

export interface OutcomeEventsDeps {
  readonly events: Events
  readonly clientAddress: ClientAddress
  readonly userNames: UserNames
  readonly proxyFaults: Pick<ProxyFaults, 'look'>
}

export function createOutcomeEvents(deps: OutcomeEventsDeps): ReportCheck {
  const { events, clientAddress, userNames, proxyFaults } = deps

  const whereFrom = ({ request, requestId }: AnsweredCheck) => ({
    requestId,
    address: clientAddress(request) || undefined,
  })

  /** The caller, as the log names them. */
  const who = (verified: Verified) => ({
    user: uniqueUser(verified, userNames),
    userId: verified.sub,
    client: verified.clientName,
    clientId: shortClient(verified.clientHash),
    grant: verified.grant,
  })

  function reportDecision(answered: AnsweredCheck): void {
    const { request, checked, started } = answered
    events.emit({
      event: 'decision',
      ...whereFrom(answered),
      ...(checked.verified && who(checked.verified)),
      status: checked.answer.status,
      reason: checked.reason,
      resource: checked.match?.resource.id,
      method: checked.method ?? '',
      mcp: mcpCall(request),
      ms: Math.round((performance.now() - started) * 1000) / 1000,
    })
  }

  function reportUse(answered: AnsweredCheck): void {
    const { checked } = answered
    const { verified, match } = checked
    if (!verified || !match) return
    events.emit({
      event: 'resource-used',
      ...whereFrom(answered),
      ...who(verified),
      resource: match.resource.id,
      credential: verified.source,
      scopes: callerAt(verified, match.resource, userNames).scopes,
      method: checked.method,
      mcp: mcpCall(answered.request),
    })
  }

  function reportRefusal(answered: AnsweredCheck): void {
    const { request, checked, family } = answered
    const { kind, verified, about, match, method, answer, reason = '' } = checked
    const { status } = answer
    const resource = match?.resource.id
    switch (kind) {
      case 'allowed':
      case 'challenged':
        return
      case 'token-refused':
        events.emit({
          event: 'token-refused',
          ...whereFrom(answered),
          ...(about && { userId: about.sub, grant: about.grant }),
          ...(verified && who(verified)),
          reason,
          resource: resource ?? '',
          scopes: verified?.scopes,
          credential: verified?.source ?? checked.source,
          expiredSeconds: about?.expiredSeconds,
          status,
          method,
          mcp: mcpCall(request),
        })
        return
      case 'person-refused':
        if (!verified || !match) return
        events.emit({
          event: 'person-refused',
          ...whereFrom(answered),
          ...who(verified),
          reason,
          groups: verified.person.groups.slice(0, MAX_GROUPS),
          allowed: match.resource.allowed,
          resource,
          status,
        })
        return
      case 'address-unknown':
        events.emit({
          event: 'address-unknown',
          ...whereFrom(answered),
          asked: checked.unknown?.asked ?? '',
          nearest: checked.unknown?.nearest,
          family,
          reason,
          status,
          method,
        })
        return
      case 'request-refused':
        events.emit({
          event: 'request-refused',
          ...whereFrom(answered),
          ...(verified && who(verified)),
          reason,
          resource,
          status,
          method,
        })
        return
      case 'unavailable':
        events.emit({
          event: 'unavailable',
          ...whereFrom(answered),
          reason,
          resource,
          status,
          method,
        })
    }
  }

  return (answered) => {
    if (answered.checked.isNewUse && events.wants('resource-used')) reportUse(answered)
    if (answered.checked.kind !== 'allowed') {
      reportRefusal(answered)
      proxyFaults.look(answered)
    }
    if (events.wants('decision')) reportDecision(answered)
  }
}

/** The method and tool of a request of MCP 2026-07-28, from its headers. */
function mcpCall({ headers }: IncomingMessage): string | undefined {
  const words = [headers['mcp-method'], headers['mcp-name']].filter(
    (word) => typeof word === 'string' && /^[\x21-\x7e]{1,128}$/.test(word),
  )
  return words.length > 0 ? words.join(' ') : undefined
}
