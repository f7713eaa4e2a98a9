/**
 * `gatewarden keys list` and `gatewarden keys rotate`: the signing keys in the store, also while the gateway runs.
 *
 * @module
 */
import { createKeyring } from '../crypto.ts'
import {
  addSigningKey,
  loadSigningKeys,
  removeOtherSigningKeys,
  SigningKeyUnreadable,
} from '../oauth/keys.ts'
import { openStorage } from '../storage/index.ts'
import { loadOrExplain } from './configured.ts'
import type { Command, Io } from './io.ts'
import { rootSecret } from './root-secret.ts'

/** Every process reads the keys each minute, and others cache the JWKS for five. */
const ANNOUNCE_MS = 10 * 60_000
const COMPROMISED = '--compromised'

export const keysList: Command = (args, io) =>
  withKeys(args, io, async (deps) => {
    const keys = await loadSigningKeys(deps)
    const current = keys.current().kid
    for (const { kid } of keys.jwks().keys) {
      const key = await keys.find(kid ?? '')
      if (!key) continue
      const from = new Date(key.signsFrom).toISOString()
      const state = kid === current ? 'signs' : key.signsFrom > Date.now() ? 'next' : 'verifies'
      io.stdout.write(`${kid}  ${state.padEnd(8)}  from ${from}\n`)
    }
  })

export const keysRotate: Command = (args, io) => {
  const compromised = args.includes(COMPROMISED)
  return withKeys(
    args.filter((arg) => arg !== COMPROMISED),
    io,
    async (deps) => {
      const signsFrom = Date.now() + (compromised ? 0 : ANNOUNCE_MS)
      const kid = await addSigningKey(signsFrom, deps)
      if (compromised) {
        const removed = await removeOtherSigningKeys(kid, deps)
        io.stdout.write(
          `${kid} signs from now on. ${removed} other keys are gone: access tokens end within a minute, clients refresh by themselves.\n`,
        )
      } else {
        io.stdout.write(`${kid} signs from ${new Date(signsFrom).toISOString()}.\n`)
      }
    },
  )
}

async function withKeys(
  args: readonly string[],
  io: Io,
  run: (deps: Parameters<typeof loadSigningKeys>[0]) => Promise<void>,
): Promise<number> {
  const loaded = loadOrExplain(args, io)
  if (!loaded) return 2
  const { config } = loaded
  const { secret } = await rootSecret(config)
  const now = () => Date.now()
  const storage = await openStorage({ dataDir: config.dataDir, now })
  try {
    await run({ storage, keyring: createKeyring(secret, config.secretPrevious), now })
    return 0
  } catch (error) {
    if (!(error instanceof SigningKeyUnreadable)) throw error
    io.stderr.write(`SECRET: ${error.message}. Put the old one into SECRET_PREVIOUS.\n`)
    return 2
  } finally {
    await storage.close()
  }
}
