/**
 * Checks the `public` paths of a server: they open without a login, as the configuration says, and still no client can
 * invent an identity there, as far as the answer shows headers (threats T1, T25).
 *
 * @module
 */
import { randomToken } from '../../crypto.ts'
import type { Resource } from '../../resources/resource-table.ts'
import { type Answered, type Ask, ownWords } from './ask.ts'
import { type Fault, type Finding, judged, unchecked } from './finding.ts'
import { unanswered } from './no-answer.ts'

/** Asked in the place of `*`: no server knows it, so that nothing happens there. */
const ANY = 'gatewarden-doctor'

/**
 * @param openPaths as in the configuration: exact paths, and `/path/*` for everything below one
 * @param tools `identityHeaders`: the names of the headers that tell the server who calls
 */
export async function checkPublicPaths(
  { id: server, origin }: Resource,
  openPaths: readonly string[],
  { ask, identityHeaders }: { readonly ask: Ask; readonly identityHeaders: readonly string[] },
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const path of openPaths) {
    const check = { check: 'public', server, promise: `${path} opens without a login` }
    const url = origin + path.replace(/\*$/, ANY)
    const invented = `doctor-${randomToken(9)}`
    const answer = await ask(
      url,
      Object.fromEntries(identityHeaders.map((name) => [name, invented])),
    )
    const fault =
      'failure' in answer
        ? unanswered(url, answer, `resources.${server}.url`)
        : faultOf(answer, { url, invented })
    const isUnknown = 'status' in answer && answer.status === 404 && !path.endsWith('*')
    findings.push(
      fault === undefined && isUnknown ? unchecked(check, noSuchPage(url)) : judged(check, fault),
    )
  }
  return findings
}

/** Many servers answer GET like this at a path that takes POST alone, such as that of a webhook. */
const noSuchPage = (url: string) => ({
  seen: `${url} answered 404 to GET, which is right for a path that takes POST alone`,
  fix: 'If it takes GET, compare the path in public with the route of the proxy, and with what the server has there after the path is mapped.',
})

function faultOf(
  answer: Answered,
  { url, invented }: { readonly url: string; readonly invented: string },
): Fault | undefined {
  const { status, text } = answer
  const words = ownWords(answer)
  const seen = `${url} answered ${status}${words === undefined ? '' : `: ${words}`}`
  if (text.includes(invented)) {
    return {
      seen: `${url} opened, and the identity headers of the client reached the server`,
      means: 'Everybody can tell the server to be somebody.',
      fix: 'Let the route of this path ask Gatewarden too, and copy every identity header from its answer (docs/proxies).',
    }
  }
  // The path is there. Servers with OAuth endpoints of their own have such words for it as Gatewarden has.
  if (status === 405) return undefined
  if (status === 401 || words !== undefined) {
    return {
      seen,
      means:
        words === undefined
          ? 'The server itself, or another login, refuses people without a login.'
          : 'Gatewarden was asked about another path, or runs with another configuration.',
      fix: 'Let the route ask Gatewarden about the path as the client sends it, and map it afterwards; restart Gatewarden after a change of public.',
    }
  }
  if (status >= 500) {
    return {
      seen,
      means: 'The server behind did not answer.',
      fix: 'Check that the MCP server runs, and that the proxy has its address and its port.',
    }
  }
  return undefined
}
