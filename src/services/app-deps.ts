/**
 * What the application is built from.
 *
 * @module
 */
import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'
import type { Events } from '../events.ts'
import type { Lifecycle } from '../http/lifecycle.ts'
import type { Storage } from '../storage/storage.ts'

export interface AppDeps {
  readonly config: Config
  /** The root secret: configured, or generated in the data directory. */
  readonly secret: string
  readonly storage: Storage
  /** For lines of libraries; what happens in this program is an event. */
  readonly log: Logger
  readonly events: Events
  /** Milliseconds since the epoch: for points in time that leave the process or outlive it, such as `exp`. */
  readonly now: () => number
  /** Milliseconds on a clock that is never set back, from any start: for spans within the process. */
  readonly elapsed: () => number
  /** Absent where nothing ends the process before the app closes. */
  readonly lifecycle?: Lifecycle
}
