/**
 * Settings of other systems whose meaning Gatewarden has under other names or in another form. Names that mean the same in
 * the same form are aliases in `schema.ts`; names that mean nothing here are in `foreign-names.ts`. No name may let in more
 * people here than it did there.
 *
 * @module
 */
import { InvalidValue, quote, type Report } from '../values/problem.ts'
import { splitScopes } from '../values/scopes.ts'

type Env = Readonly<Record<string, string | undefined>>

/** A setting in our own words. */
export interface Translated {
  readonly name: string
  readonly value: string
}

const ADDRESS = /^(?:\[([\da-f:.]+)\]|([\w.-]*)):(\d{1,5})$/i

/**
 * `:8080`, `127.0.0.1:8080` or `[::]:8080`, as Go programs write where they listen.
 * @throws InvalidValue for another form: whoever wrote it may mean that few can reach the port
 */
function listenAddress(value: string): readonly Translated[] {
  const [, v6, host = '', port] = ADDRESS.exec(value.trim()) ?? []
  if (port === undefined) {
    throw new InvalidValue(
      `${quote(value)} is not an address with a port. Write it like :8080 or 127.0.0.1:8080, or set HOST and PORT instead.`,
    )
  }
  const address = v6 ?? host
  return [
    { name: 'PORT', value: port },
    ...(address === '' ? [] : [{ name: 'HOST', value: address }]),
  ]
}

/** oauth2-proxy also has a scheme in front, and sockets, which get the line of its other settings. */
function addressOfOauth2Proxy(value: string): readonly Translated[] | undefined {
  const address = value.trim().replace(/^http:\/\//i, '')
  return /^(?:unix|fd|https):/i.test(address) ? undefined : listenAddress(address)
}

/** babs asks for these beside its own. */
const extraScopes = (value: string): readonly Translated[] => [
  { name: 'PROVIDER_SCOPES', value: joined(['openid', 'email', 'profile', ...splitScopes(value)]) },
]

const joined = (scopes: readonly string[]) =>
  [...new Set(scopes.filter((scope) => scope !== ''))].join(',')

const TRANSLATIONS: Readonly<Record<string, (value: string) => readonly Translated[] | undefined>> =
  {
    LISTEN_ADDR: listenAddress,
    MCP_OAUTH2_PROXY_SERVER_LISTENADDRESS: listenAddress,
    OAUTH2_PROXY_HTTP_ADDRESS: addressOfOauth2Proxy,
    OIDC_EXTRA_SCOPES: extraScopes,
    RATE_LIMIT_ENABLED: (value) =>
      /^(?:false|0|no|off)$/i.test(value.trim()) ? [{ name: 'RATE_LIMIT', value: '0' }] : [],
  }

/**
 * @returns what the setting means in ours, none if it changes nothing; undefined if it is not one of these
 * @throws InvalidValue for a value that has no meaning there either
 */
export function translate(written: string, value: string): readonly Translated[] | undefined {
  return Object.hasOwn(TRANSLATIONS, written) ? TRANSLATIONS[written]?.(value) : undefined
}

/**
 * The environment with the password in the address of Redis, as users of atrawog have it beside (sn13). An address with
 * a password of its own stays, and a warning says so.
 * @param env names without a value count as unset
 * @param everywhere the variables of all places: the password need not be where the address is
 */
export function withRedisPassword(
  env: Env,
  { everywhere, report }: { readonly everywhere: Env; readonly report: Report },
): Env {
  const { REDIS_URL: url = '' } = env
  const password = everywhere.REDIS_PASSWORD?.trim() ? everywhere.REDIS_PASSWORD : undefined
  if (password === undefined) return env
  if (
    env.REDIS_PASSWORD?.trim() &&
    ![everywhere.REDIS_URL, everywhere.REDIS_URL_FILE].some(Boolean)
  )
    report.warning('REDIS_PASSWORD', 'has no effect without REDIS_URL. Add it, or remove this.')
  const [, scheme, user = '', own, hosts] =
    /^(rediss?(?:\+\w+)?:\/\/)(?:([^@:]*)(?::([^@]*))?@)?([^@]+)$/i.exec(url.trim()) ?? []
  if (scheme === undefined || hosts === undefined) return env
  if (own === undefined)
    return { ...env, REDIS_URL: `${scheme}${user}:${encodeURIComponent(password)}@${hosts}` }
  if (own !== password && own !== encodeURIComponent(password))
    report.warning('REDIS_PASSWORD', 'has no effect, because REDIS_URL has a password of its own.')
  return env
}

/**
 * The name whose meaning a variable has. The container of atrawog gets `GATEWAY_JWT_SECRET` as `JWT_SECRET` (sn5); many
 * programs have a variable of that name, so it counts only beside two others of that system.
 * @param everywhere the variables of all places
 */
export function nameBeside(written: string, everywhere: Env): string {
  const { BASE_DOMAIN, GITHUB_CLIENT_ID } = everywhere
  const isOfAtrawog = Boolean(BASE_DOMAIN?.trim() && GITHUB_CLIENT_ID?.trim())
  return written === 'JWT_SECRET' && isOfAtrawog ? 'GATEWAY_JWT_SECRET' : written
}

/** The value of an alias in the form of our setting. */
export function valueOfAlias(label: string, value: string): string {
  switch (label) {
    // babs separates them by spaces.
    case 'TOKEN_SIGNING_SECRETS_PREVIOUS':
      return value.trim().split(/\s+/).join('\n')
    case 'OAUTH2_PROXY_SCOPE':
      return joined(splitScopes(value))
    // risedphantom asks Keycloak for tokens alone, which come without openid, too (case sc8).
    case 'MCP_OAUTH2_PROXY_AUTH_OIDCSCOPES':
      return joined(['openid', ...splitScopes(value)])
    default:
      return value
  }
}
