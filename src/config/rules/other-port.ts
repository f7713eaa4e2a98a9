/**
 * Tells of a `PUBLIC_URL` on this machine whose port nobody listens on: without a proxy in front, its pages are not there.
 *
 * @module
 */
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'

/** Warns unless somebody chose the port. */
export function warnOfOtherPort({
  settings,
  given,
  report,
}: Pick<Chosen, 'settings' | 'given'> & { readonly report: Report }): void {
  const { public_url: publicUrl, port } = settings
  if (!publicUrl?.loopback || publicUrl.secure || given.has('port')) return
  const named = new URL(publicUrl.origin).port || '80'
  if (Number(named) === port) return
  report.warning(
    given.get('public_url')?.written ?? 'PUBLIC_URL',
    `names port ${named}, but Gatewarden listens on port ${port}. Set PORT=${named}, unless a proxy on this machine listens there.`,
  )
}
