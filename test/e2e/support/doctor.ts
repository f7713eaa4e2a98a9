/**
 * Runs `gatewarden doctor` of the built program beside a running gateway, with its folder and its configuration.
 *
 * @module
 */
import { fileURLToPath } from 'node:url'
import { runBash } from './shell.ts'

const PROGRAM = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))

/** The promises with their labels, in order, and the rest of the text in one line. */
export interface Diagnosis {
  readonly exitCode: number | null
  readonly wrong: readonly string[]
  readonly ok: readonly string[]
  readonly unchecked: readonly string[]
  readonly text: string
}

export async function runDoctor(folder: string, args = ''): Promise<Diagnosis> {
  const { output, errors, exitCode } = await runBash(
    `exec "$NODE" "$PROGRAM" doctor --config gatewarden.yaml ${args}`,
    {
      environment: { NODE: process.execPath, PROGRAM, DATA_DIR: `${folder}/data` },
      folder,
    },
  )
  const labelled = (label: string) =>
    output
      .split('\n')
      .filter((line) => line.startsWith(label.padEnd(7)))
      .map((line) => line.slice(7))
  return {
    exitCode,
    wrong: labelled('WRONG'),
    ok: labelled('ok'),
    unchecked: labelled('?'),
    text: `${errors}${output}`.replaceAll(/\s+/g, ' '),
  }
}
