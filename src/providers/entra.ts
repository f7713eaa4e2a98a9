/**
 * Microsoft Entra ID, for a single tenant or for several that are listed (decision 0055). A person is tenant and object
 * id; e-mail and user name are what the tenant's administrators wrote there.
 *
 * @module
 */
import { statedAddress } from '../identifiers.ts'
import { groupsOf } from './entra-groups.ts'
import { createOidcLogin, type OidcOptions, STANDARD } from './oidc.ts'
import { createOidcConnection } from './oidc-connection.ts'
import { identityFromClaims } from './oidc-identity.ts'
import { type Claims, ProviderFailure, type RedirectProvider } from './provider.ts'
import type { EntraProviderConfig } from './provider-config.ts'

type EntraOptions = EntraProviderConfig &
  Pick<OidcOptions, 'redirectUri' | 'keyring' | 'outbound' | 'elapsed' | 'now'> &
  Required<Pick<OidcOptions, 'tolerated'>>

const GUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i
/** In the issuer of the document for many tenants, and in that of keys that sign for all of them. */
const PLACEHOLDER = '{tenantid}'

export function createEntraProvider(given: EntraOptions): RedirectProvider {
  const { baseUrl, tenants, tolerated, verifiedDomains } = given
  const issuerOf = (tenant: string) => `${baseUrl}/${tenant}/v2.0`
  const issuers = new Set(tenants.map(issuerOf))
  const isOurs = (issuer: unknown) => typeof issuer === 'string' && issuers.has(issuer)
  const [only, ...others] = tenants
  const isSingle = others.length === 0
  const template = issuerOf(PLACEHOLDER)
  const options: OidcOptions = {
    ...given,
    name: 'Microsoft',
    uniqueUsernames: false,
    groupsClaim: 'groups',
    ...(isSingle
      ? { issuerUrl: issuerOf(String(only)) }
      : {
          issuerUrl: template,
          discoveryUrl: `${given.issuerUrl}/.well-known/openid-configuration`,
          isIssuerOfTenant: isOurs,
        }),
    // A key for the private accounts of Microsoft, say, must not sign for an organisation, nor that of a tenant for another.
    signsFor: ({ issuer: owner }, issuer) =>
      owner === undefined || owner === template || owner === issuer,
  }

  async function identify(signed: Claims, accessToken: string) {
    const { tid, oid } = signed
    if (typeof tid !== 'string' || !tenants.includes(tid) || signed.iss !== issuerOf(tid)) {
      throw new ProviderFailure(
        'other-organisation',
        'the account belongs to a tenant that ENTRA_TENANT does not list',
      )
    }
    if (typeof oid !== 'string' || !GUID.test(oid)) {
      throw new ProviderFailure('failed', 'the ID token has no object id (oid)')
    }
    const prefix = isSingle ? '' : `${tid}/`
    const groups = await groupsOf(signed, { ...given, accessToken, prefix })
    const person = identityFromClaims(
      {
        iss: signed.iss,
        sub: oid.toLowerCase(),
        name: signed.name,
        preferred_username: signed.preferred_username,
        email: signed.email,
        email_verified: isVerified(signed),
        groups,
      },
      'groups',
      tolerated,
    )
    const isAbsent = groups.length === 0 && signed.groups === undefined
    return { person, ...(isAbsent && { absentClaim: 'groups' }) }
  }

  /**
   * Entra sends no `email_verified`, and an administrator of any tenant may write any address into an account. It counts
   * if Entra says that the owner of its domain is verified, or the operator vouches for the domain in the only tenant.
   */
  function isVerified({ xms_edov: verified, email }: Claims): boolean {
    if (verified === true || verified === 1 || verified === '1' || verified === 'true') return true
    if (!isSingle || typeof email !== 'string') return false
    const address = statedAddress(email)
    return address !== undefined && verifiedDomains.includes(address.replace(/^.*@/, ''))
  }

  const provider = createOidcLogin(createOidcConnection(options), options, {
    ...STANDARD,
    // Without an optional claim its ID tokens do not say when the person signed in.
    parameters: ({ maxAge: _, ...wishes }) => STANDARD.parameters(wishes),
    saysAuthTime: false,
    asksUserinfo: false,
    identify,
  })
  return {
    ...provider,
    speaksFor: isOurs,
    // A sign-out there would end the person's other work with Microsoft.
    async otherAccount({ flowId, state, wishes }) {
      const url = await provider.authorizationUrl({ flowId, state, wishes })
      url.searchParams.set('prompt', 'select_account')
      return { url, showsSameAccount: false }
    },
  }
}
