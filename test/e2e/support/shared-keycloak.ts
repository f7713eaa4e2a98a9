/**
 * The Keycloak of the whole run. The first file that needs it starts it by a request, since files are processes of their
 * own; each file has its own realm there (`keycloak.ts`).
 *
 * @module
 */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { type RunningKeycloak, startKeycloak } from '../../../scripts/lib/keycloak.ts'
import { toolPath } from './tools.ts'

/** The temporary administrator. */
export const ADMIN = { name: 'admin', password: 'admin-password' }

declare module 'vitest' {
  interface ProvidedContext {
    /** Where `POST /` answers with the address of Keycloak, and `POST /restart` restarts it. */
    keycloak: string
  }
}

/** Vitest calls it before the first file, and what it returns after the last. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'keycloak-'))
  let running: Promise<RunningKeycloak> | undefined
  const get = () => {
    running ??= startKeycloak({ home: toolPath('keycloak'), folder, admin: ADMIN })
    return running
  }
  const server = createServer(async (request, response) => {
    try {
      const keycloak = await get()
      if (request.url === '/restart') await keycloak.restart()
      response.end(keycloak.url)
    } catch (error) {
      response.writeHead(500).end(String(error))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  provide('keycloak', `http://127.0.0.1:${address.port}`)
  return async () => {
    server.close()
    // A start that failed was told to the file that asked for it.
    const keycloak = await running?.catch(() => undefined)
    await keycloak?.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
