/**
 * The configuration of the demo: one person, one server, one origin.
 *
 * @module
 */
import type { DemoState } from './state.ts'

/** The person who signs in. */
export const DEMO_USER = 'demo@example.com'

/** The address of everything. */
export const demoOrigin = ({ port }: Pick<DemoState, 'port'>): string => `http://localhost:${port}`

/**
 * The content of `gatewarden.yaml`.
 * @param upstream the address of the server where Gatewarden is its proxy; without it, Traefik is
 */
export function demoConfiguration(state: DemoState, upstream?: string): Record<string, unknown> {
  const origin = demoOrigin(state)
  return {
    public_url: origin,
    resources: {
      demo: {
        url: `${origin}/mcp`,
        name: 'Demo server',
        // Traefik's files put the pages of the server into a sandbox.
        ...(upstream === undefined ? { shared_host: 'sandboxed', mcp_only: true } : { upstream }),
      },
    },
    allow: { emails: [DEMO_USER] },
    users: { [DEMO_USER]: { email: DEMO_USER, password_hash: state.passwordHash } },
  }
}
