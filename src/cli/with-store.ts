/**
 * Runs a subcommand that works on the store, even while the gateway runs.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type Config, issuerOf } from '../config/config.ts'
import { createKeyring, type Keyring } from '../crypto.ts'
import { NO_EVENTS } from '../events.ts'
import { SigningKeyUnreadable } from '../oauth/tokens/signing-keys.ts'
import { checkFormat } from '../storage/format.ts'
import { type Storage, StorageUnavailable, StorageUnfit } from '../storage/storage.ts'
import { unfit } from './cannot-open.ts'
import { explain, loadOrExplain } from './configured.ts'
import type { Io } from './io.ts'
import { openStore } from './open-store.ts'
import { rootSecret } from './root-secret.ts'

/** A problem that only a command can find, in words for the operator. */
export class CommandProblem extends Error {
  override readonly name = 'CommandProblem'
}

export interface OpenStore {
  readonly config: Config
  readonly storage: Storage
  readonly keyring: Keyring
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Milliseconds on a clock that is never set back. */
  readonly elapsed: () => number
}

/**
 * Loads the configuration, opens the store, runs `run`, and closes the store.
 * @param args flags of the configuration alone
 * @returns the exit code: that of `run`, or 2 after printing problems of the configuration or the store
 */
export async function withStore(
  args: readonly string[],
  io: Io,
  run: (opened: OpenStore) => Promise<number>,
): Promise<number> {
  const loaded = loadOrExplain(args, io)
  if (!loaded) return 2
  try {
    return await withOpenStore(loaded.config, run)
  } catch (error) {
    const problem = problemOf(error)
    if (problem === undefined) explain(error, io)
    else io.stderr.write(`${problem}\n`)
    return 2
  }
}

/**
 * Opens the store of a configuration, runs `run`, and closes the store. Makes the root secret if there is none.
 * @throws ConfigError if the store cannot be opened or used; StorageUnavailable if it does not answer in five seconds
 */
export async function withOpenStore<T>(
  config: Config,
  run: (opened: OpenStore) => Promise<T>,
): Promise<T> {
  const { secret } = await rootSecret(config)
  const now = () => Date.now()
  const elapsed = () => performance.now()
  const storage = await openStore(config, { now, elapsed, maxStale: 0, events: NO_EVENTS })
  try {
    await contact(storage)
    await checkFormat(storage)
    const issuer = issuerOf(config)
    const keyring = createKeyring(secret, { issuer, previous: config.secretPrevious })
    return await run({ config, storage, keyring, now, elapsed })
  } catch (error) {
    throw error instanceof StorageUnfit ? unfit(error, config) : error
  } finally {
    await storage.close()
  }
}

const CONTACT_MS = 5000

/** Waits a short time until a store on the network answers. */
async function contact(storage: Storage): Promise<void> {
  const deadline = performance.now() + CONTACT_MS
  for (;;) {
    try {
      await storage.contact?.()
      return
    } catch (error) {
      if (!(error instanceof StorageUnavailable) || performance.now() > deadline) throw error
      await delay(100)
    }
  }
}

/** @returns the problem for the operator, or undefined for an error that no operator can fix */
function problemOf(error: unknown): string | undefined {
  if (error instanceof SigningKeyUnreadable) {
    return `SECRET: ${error.message}. Put the old secret into SECRET_PREVIOUS.`
  }
  if (error instanceof CommandProblem) return error.message
  if (error instanceof StorageUnavailable && error.cause instanceof Error) {
    return `The store does not answer (${error.cause.message}). Try again when it does.`
  }
  return undefined
}
