/**
 * `gatewarden keys list`, `keys rotate` and `keys revoke`: the signing keys in the store, even while the gateway runs.
 *
 * @module
 */
import { materialOf } from '../oauth/tokens/brought-key.ts'
import { keySetsOf } from '../oauth/tokens/key-sets.ts'
import {
  addSigningKey,
  loadSigningKeys,
  replaceSigningKeys,
  revokeSigningKey,
  type SigningKeyDeps,
} from '../oauth/tokens/signing-keys.ts'
import type { Command, Io } from './io.ts'
import { CommandProblem, withStore } from './with-store.ts'

/** A new key waits this long: processes read the keys every minute, and others cache the JWKS for five minutes. */
const ANNOUNCE_MS = 10 * 60_000
const COMPROMISED = '--compromised'
/** The key is configured, so the next start would store it again. */
const KEY_IN_USE =
  'SIGNING_KEY: it is the key in SIGNING_KEY. Put another key there, or none, restart Gatewarden, and revoke this one then.'
/** A SHA-256 thumbprint (RFC 7638). */
const KID = /^[\w-]{43}$/

export const keysList: Command = (args, io) =>
  withKeys(args, io, async (deps) => {
    const keys = await loadSigningKeys(deps)
    const current = keys.current().kid
    for (const { kid } of keys.jwks().keys) {
      const key = await keys.find(kid ?? '')
      if (!key) continue
      const from = new Date(key.signsFrom).toISOString()
      const state = kid === current ? 'signs' : key.signsFrom > Date.now() ? 'next' : 'verifies'
      io.stdout.write(`${kid}  ${state.padEnd(8)}  from ${from}  ${deps.algorithm}\n`)
    }
  })

export const keysRotate: Command = (args, io) => {
  const compromised = args.includes(COMPROMISED)
  return withKeys(
    args.filter((arg) => arg !== COMPROMISED),
    io,
    async (deps) => {
      if (compromised) {
        const { kid, isOurs, removed } = await replaceSigningKeys(deps)
        if (!isOurs) io.stdout.write('Another process replaced the keys at the same moment.\n')
        io.stdout.write(
          `${kid} signs from now on (${deps.algorithm}). Other keys removed: ${removed}. Their tokens end within a minute; clients refresh by themselves.\n`,
        )
      } else if (deps.brought) {
        io.stdout.write(
          `SIGNING_KEY signs (${deps.algorithm}). Put another key there and restart: the old one verifies until its tokens have expired.\n`,
        )
      } else {
        const signsFrom = Date.now() + ANNOUNCE_MS
        const kid = await addSigningKey(signsFrom, deps)
        io.stdout.write(
          `${kid} signs from ${new Date(signsFrom).toISOString()} (${deps.algorithm}).\n`,
        )
      }
    },
  )
}

/** Removes one key, as when a copy of it got into wrong hands. */
export const keysRevoke: Command = async (args, io) => {
  const kid = args.find((arg) => KID.test(arg))
  if (kid === undefined) {
    io.stderr.write(
      'Name the key: gatewarden keys revoke ID. `gatewarden keys list` shows the ids.\n',
    )
    return 2
  }
  let isFound = false
  const code = await withKeys(
    args.filter((arg) => arg !== kid),
    io,
    async (deps) => {
      const isBrought = deps.brought && (await materialOf(deps.brought.privateKey)).kid === kid
      if (isBrought) throw new CommandProblem(KEY_IN_USE)
      const revoked = await revokeSigningKey(kid, deps)
      if (!revoked) return
      isFound = true
      const { replacedBy } = revoked
      io.stdout.write(
        `${kid} is removed (${deps.algorithm}). Its tokens end within a minute; clients refresh by themselves.\n`,
      )
      if (replacedBy !== undefined) io.stdout.write(`${replacedBy} signs from now on.\n`)
    },
  )
  if (code !== 0 || isFound) return code
  io.stderr.write(`There is no key ${kid}. \`gatewarden keys list\` shows the ids.\n`)
  return 2
}

/** Runs `run` for the keys of access tokens, then for those of sessions. */
function withKeys(
  args: readonly string[],
  io: Io,
  run: (deps: SigningKeyDeps) => Promise<void>,
): Promise<number> {
  return withStore(args, io, async ({ config, ...opened }) => {
    const { access, session } = keySetsOf(opened, {
      session: config.lifetimes.session,
      brought: config.signingKey,
    })
    for (const deps of new Set([access, session])) await run(deps)
    return 0
  })
}
