/**
 * The options of a server under test, from its command line.
 *
 * @module
 */
import { z } from 'zod'

export const Options = z.object({
  kind: z.enum(['node', 'fastify', 'undici', 'gatewarden']),
  store: z.enum(['memory', 'lmdb', 'redis']).default('memory'),
  redisPort: z.number().default(0),
  cold: z.number().default(0),
  dataDir: z.string().default(''),
  grants: z.number().default(1),
  /** The URL of a client's metadata document; that client gets codes, too. */
  documentUrl: z.string().optional(),
  /** Accept the tokens of a provider on this machine. */
  provider: z.boolean().default(false),
  upstream: z.string().optional(),
  /** Changes headers for the upstream, and caps the open requests of a person. */
  passThroughRules: z.boolean().default(false),
  /** The bare proxy forwards all of the client's headers, as every proxy does, or only one. */
  headers: z.enum(['all', 'one']).default('all'),
})

export type ServerOptions = z.infer<typeof Options>
