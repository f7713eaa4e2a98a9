/**
 * Starts the app as an operator would: from settings, through the loader. Nobody hands it a `Config`.
 *
 * @module
 */
import type { UserConfig } from '../../../src/providers/provider-config.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { ANN, BOB, buildTestApp, type Clock, type TestApp } from '../../support/build-app.ts'
import { type Given, load, loadYaml } from '../harness.ts'

/** Observes over the wire that a setting does what it says; throws if it does not. */
export type Effect = () => Promise<void>

export interface Reuse {
  /** Of an app that was started before: what a restart finds. */
  readonly storage?: Storage
  readonly clock?: Clock
  /** Instead of ann and bob, whose passwords cost nothing to hash. */
  readonly users?: readonly UserConfig[]
}

/** One protected server, ann on the list, and these settings. */
export function start(env: NonNullable<Given['env']>, reuse: Reuse = {}): Promise<TestApp> {
  return startLoaded(load({ env }), reuse)
}

/** As {@link start}, from a file that says all but `PUBLIC_URL`. */
export function startFile(yaml: string, given: Given = {}, reuse: Reuse = {}): Promise<TestApp> {
  return startLoaded(loadYaml(yaml, given), reuse)
}

function startLoaded(
  { config }: ReturnType<typeof load>,
  { users = [ANN, BOB], ...reuse }: Reuse,
): Promise<TestApp> {
  return buildTestApp(
    { ...config, users },
    { ...reuse, ...(config.secret !== undefined && { secret: config.secret }) },
  )
}
