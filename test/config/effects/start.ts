/**
 * Starts the app as an operator does: from settings, through the loader. No test passes a `Config`.
 *
 * @module
 */
import type { UserConfig } from '../../../src/providers/provider-config.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { ANN, BOB, buildTestApp, type Clock, type TestApp } from '../../support/build-app.ts'
import { type Given, load, loadYaml } from '../harness.ts'

/** Observes over the wire that a setting has its effect; throws if it does not. */
export type Effect = () => Promise<void>

export interface Reuse {
  /** The storage of an earlier app, which a restart finds again. */
  readonly storage?: Storage
  readonly clock?: Clock
  /** Users instead of ann and bob, whose password hashes are cheap. */
  readonly users?: readonly UserConfig[]
}

/** Starts an app with one protected server, ann on the list, and these settings. */
export function start(env: NonNullable<Given['env']>, reuse: Reuse = {}): Promise<TestApp> {
  return startLoaded(load({ env }), reuse)
}

/** Like {@link start}, from a file that holds everything but `PUBLIC_URL`. */
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
