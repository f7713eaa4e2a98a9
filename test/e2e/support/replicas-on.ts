/**
 * Two Gatewardens that share a store, and a person who signs in there.
 *
 * @module
 */
import { join } from 'node:path'
import { hash } from '@node-rs/argon2'
import { type RunningGatewarden, startGatewarden } from '../../../scripts/lib/gatewarden.ts'
import { freePort } from '../../../scripts/lib/ports.ts'
import type { ReplicaClientOptions } from './replica-client.ts'

export interface Replicas extends ReplicaClientOptions {
  /** The first process is the issuer where people sign in. */
  readonly running: readonly [RunningGatewarden, RunningGatewarden]
  stop(): Promise<void>
}

const ANN = { name: 'ann', password: 'correct horse battery staple' }

/** @param options.settings the settings of their store, by names in the environment */
export async function startReplicas(options: {
  readonly folder: string
  readonly settings: Readonly<Record<string, string>>
}): Promise<Replicas> {
  const { folder } = options
  const port = await freePort()
  const issuer = `http://127.0.0.1:${port}`
  const resource = `${issuer}/mcp`
  const file = {
    public_url: issuer,
    resources: { sample: { url: resource, name: 'Sample server' } },
    allow: { emails: ['ann@example.com'] },
    users: { ann: { email: 'ann@example.com', password_hash: await hash(ANN.password) } },
  }
  const settings = {
    SECRET: 'a root secret for tests, long enough to be one',
    RATE_LIMIT: '100000',
    ...options.settings,
  }
  const start = (name: string, at: number) =>
    startGatewarden({
      folder: join(folder, name),
      listen: { host: '127.0.0.1', port: at },
      file,
      settings,
    })
  const first = await start('first', port)
  try {
    const second = await start('second', await freePort())
    return {
      running: [first, second],
      processes: [first.address, second.address],
      issuer,
      resource,
      person: ANN,
      async stop() {
        await Promise.all([first.stop(), second.stop()])
      },
    }
  } catch (error) {
    await first.stop()
    throw error
  }
}
