/**
 * Which addresses of a discovery document may be called by us, and which by browsers. Plain http shows codes and
 * secrets to a network.
 *
 * @module
 */
import { ProviderFailure } from './provider.ts'

export interface ProviderAddresses {
  /** The URL, if we may call it: https, or http where that is allowed. Throws ProviderFailure. */
  usable(address: unknown, name: string): URL
  /** Throws ProviderFailure for plain http beyond this machine: a browser would go there over a network. */
  refusePlain(address: unknown, name: string): void
}

/**
 * Plain http beyond this machine is for endpoints of a document whose own address is plain http there, and for
 * browsers only if the issuer itself is.
 */
export function createProviderAddresses(options: {
  readonly issuerUrl: string
  readonly discoveryUrl?: string
  readonly allowInsecure: boolean
}): ProviderAddresses {
  const { issuerUrl, discoveryUrl, allowInsecure } = options
  const isIssuerPlain = isPlainBeyondHere(parse(issuerUrl))
  const isPlain = isIssuerPlain || isPlainBeyondHere(parse(discoveryUrl))
  return {
    usable(address, name) {
      const url = parse(address)
      if (url?.protocol === 'https:') return url
      if (url?.protocol === 'http:' && allowInsecure && (isPlain || !isPlainBeyondHere(url))) {
        return url
      }
      throw new ProviderFailure('failed', `the discovery document has no usable ${name}`)
    },
    refusePlain(address, name) {
      if (isIssuerPlain || !isPlainBeyondHere(parse(address))) return
      throw new ProviderFailure(
        'failed',
        `the ${name} of the discovery document is plain http, and browsers go there: it must be https`,
      )
    },
  }
}

const parse = (address: unknown) =>
  typeof address === 'string' && URL.canParse(address) ? new URL(address) : undefined

const isPlainBeyondHere = (url: URL | undefined) =>
  url?.protocol === 'http:' && !/^(localhost|\[::1\]|127\.\d+\.\d+\.\d+)$/.test(url.hostname)
