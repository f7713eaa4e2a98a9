/**
 * Explains an address that does not answer, or that answers with a redirect.
 *
 * @module
 */
import { plain } from '../answers.ts'
import type { Answered, Unanswered } from './ask.ts'
import type { Fault } from './finding.ts'

/** @param setting the setting that names the address */
export function unanswered(url: string, { failure }: Unanswered, setting: string): Fault {
  const seen = `${url} did not answer: ${failure}`
  if (/certificate|altname|self.signed|CERT_/i.test(failure)) {
    return {
      seen,
      means: 'MCP clients refuse this certificate as well.',
      fix: `Give the proxy a certificate for ${new URL(url).hostname} that clients trust. If an authority of your own signed it, set NODE_EXTRA_CA_CERTS to its file for this command.`,
    }
  }
  if (/wrong version number|SSL|TLS|EPROTO|HTTP\/|Parse Error/i.test(failure)) {
    const [here, there] = url.startsWith('https:') ? ['https', 'http'] : ['http', 'https']
    return {
      seen,
      means: `${setting} says ${here}, and the port speaks something else, perhaps ${there}.`,
      fix: `Write ${setting} as people open it, with its scheme and its port, or let the proxy speak ${here} there.`,
    }
  }
  if (/ECONNREFUSED/.test(failure)) {
    const { port, protocol, hostname } = new URL(url)
    return {
      seen,
      means: 'Nothing listens there.',
      fix: `Check that Gatewarden, or the proxy in front, runs and listens on port ${port || (protocol === 'https:' ? '443' : '80')} of ${hostname}.`,
    }
  }
  return {
    seen,
    means: 'Nobody can connect, or this machine alone cannot.',
    fix: `Check the DNS name, the port and the firewall. If people reach the address, run this command on a machine that does, too.`,
  }
}

/** @returns undefined if the answer is no redirect */
export function redirected(url: string, answer: Answered, setting: string): Fault | undefined {
  if (answer.status < 300 || answer.status > 399) return undefined
  const location = plain(answer.headers.get('location') ?? 'nowhere')
  const to = URL.canParse(location, url) ? new URL(location, url) : undefined
  const seen = `${url} answered ${answer.status}, to ${location}`
  const asked = new URL(url)
  if (to && to.protocol !== asked.protocol && to.hostname === asked.hostname) {
    return {
      seen,
      means: `${setting} says ${asked.protocol.slice(0, -1)}, and the proxy wants ${to.protocol.slice(0, -1)}: clients compare the address and stop.`,
      fix: `Begin ${setting} with ${to.protocol}//, or take the redirect out of the proxy.`,
    }
  }
  return {
    seen,
    means: 'Another login, or a rule of the proxy, stands in front of Gatewarden.',
    fix: 'Take the redirect away from this address; Gatewarden redirects page loads of browsers only.',
  }
}
