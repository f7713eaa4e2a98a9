/**
 * A grant of a person at an OpenID Connect provider, for tests below the edge.
 *
 * @module
 */
import type { Grant } from '../../src/records/records.ts'

export const GRANT: Grant = {
  id: 'the-id-of-the-grant',
  provider: 'oidc',
  issuer: 'https://id.example.com',
  subject: 'ann',
  clientHash: 'hash',
  clientName: 'Test client',
  redirectHost: 'this computer',
  resource: 'https://mcp.example.com/notes/mcp',
  scopes: ['mcp'],
  createdAt: 0,
  expiresAt: 1000,
}
