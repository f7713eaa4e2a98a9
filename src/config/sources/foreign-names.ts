/**
 * Settings of other programs that do the same job, and settings that this version does not have. In the environment
 * each gets a line, so that nobody believes that it took effect.
 *
 * @module
 */
import type { Report } from '../values/problem.ts'

const NO_GITHUB =
  'belongs to a login with GitHub, which this version does not have. Use PROVIDER=oidc, keycloak or google, or list people in USERS; then remove it.'

/** Names that decide who may pass: without an effect they would let in other people than the operator thinks. */
const REFUSED: Readonly<Record<string, string>> = {
  GITHUB_CLIENT_ID: NO_GITHUB,
  GITHUB_CLIENT_SECRET: NO_GITHUB,
  ALLOWED_GITHUB_USERS: NO_GITHUB,
  ALLOWED_USERS:
    'is not a setting of this version. List people by e-mail in ALLOWED_EMAILS, or by group in ALLOWED_GROUPS.',
  REQUIRE_VERIFIED_EMAIL:
    'is not a setting of this version. ALLOWED_EMAILS and ALLOWED_DOMAINS count verified addresses alone; remove it.',
}

/** Our name for a setting of another program. */
const OURS: Readonly<Record<string, string>> = {
  AUTH_PROVIDER: 'PROVIDER',
  BASE_URL: 'PUBLIC_URL',
  EMAIL_DOMAINS: 'ALLOWED_DOMAINS',
  OIDC_CLIENT_ID: 'CLIENT_ID',
  OIDC_CLIENT_SECRET: 'CLIENT_SECRET',
  OIDC_ISSUER: 'ISSUER_URL',
  OIDC_ISSUER_URL: 'ISSUER_URL',
  PROXY_BASE_URL: 'PUBLIC_URL',
  UPSTREAM: 'UPSTREAM_URL',
}

const NOT_YET = 'is not a setting of this version and has no effect. Remove it'

const NOTED: Readonly<Record<string, string>> = {
  DISCOVERY_AT: `${NOT_YET}; route the discovery documents of each protected host here.`,
  METRICS_HOST: `${NOT_YET}; /healthz and /readyz are there.`,
  METRICS_PORT: `${NOT_YET}; /healthz and /readyz are there.`,
  PATH_PREFIX: `${NOT_YET}; give Gatewarden a host of its own.`,
  WORKERS:
    'has no effect: Gatewarden is one process. Remove it; for more, run replicas with REDIS_URL (docs/scaling.md).',
}

/** @returns true if the name was one of these */
export function reportForeign(written: string, report: Report): boolean {
  const refused = own(REFUSED, written)
  if (refused !== undefined) {
    report.problem(written, refused)
    return true
  }
  const ours = own(OURS, written)
  const noted =
    ours === undefined
      ? own(NOTED, written)
      : `is not a setting, and has no effect. Gatewarden calls it ${ours}.`
  if (noted !== undefined) report.warning(written, noted)
  return noted !== undefined
}

const own = (table: Readonly<Record<string, string>>, name: string) =>
  Object.hasOwn(table, name) ? table[name] : undefined
