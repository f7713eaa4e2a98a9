/**
 * The questions of the tests in this folder, and the headers that they look for.
 *
 * @module
 */
import { ANN } from '../support/build-app.ts'

/** Every header that tells a server who is calling. */
export const IDENTITY = [
  'X-Forwarded-User',
  'X-Forwarded-Email',
  'X-Forwarded-Groups',
  'X-Forwarded-Scopes',
  'X-Forwarded-Client',
  'X-User-Id',
  'X-User-Name',
]

export const PRM = 'https://mcp.example.com/.well-known/oauth-protected-resource'

/** Ann with nothing but her name. */
export const BARE_ANN = { name: ANN.name, groups: [], passwordHash: ANN.passwordHash }

/** The head of a question as Traefik sends it, with further lines. */
export function asTraefikAsks(lines: readonly string[] = [], url = '/auth/traefik'): string[] {
  return [
    `GET ${url} HTTP/1.1`,
    'Host: gatewarden:8080',
    'X-Forwarded-Method: POST',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: mcp.example.com',
    'X-Forwarded-Uri: /notes/mcp',
    ...lines,
  ]
}

/** The head of a question as the shipped nginx configuration sends it, with further lines. */
export function asNginxAsks(lines: readonly string[] = [], url = '/auth/nginx'): string[] {
  return [
    `GET ${url} HTTP/1.1`,
    'Host: gatewarden:11000',
    'X-Original-URL: https://mcp.example.com/notes/mcp',
    'X-Original-Method: POST',
    ...lines,
  ]
}
