/**
 * The state that the demo keeps from one run to the next, in `.demo/demo.json`.
 *
 * @module
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { hashOf } from '../passwords.ts'
import { threeWords } from './words.ts'

const State = z.object({
  port: z.int(),
  password: z.string(),
  passwordHash: z.string(),
})

export type DemoState = z.infer<typeof State>

/** Loads the state of the last run from `folder`, or makes a new one; `port` replaces the stored port. */
export async function loadState(folder: string, port?: number): Promise<DemoState> {
  const file = join(folder, 'demo.json')
  const before = readState(file)
  const password = before?.password ?? threeWords()
  const state: DemoState = {
    port: port ?? before?.port ?? 8080,
    password,
    passwordHash: before?.passwordHash ?? (await hashOf(password)),
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(file, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 })
  return state
}

function readState(file: string): DemoState | undefined {
  try {
    return State.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return undefined
  }
}
