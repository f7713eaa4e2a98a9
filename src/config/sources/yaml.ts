/**
 * Reads a YAML file into plain values. A problem names a place in the file, and never repeats its text.
 *
 * @module
 */
import { type Document, isMap, isScalar, parseDocument, visit } from 'yaml'
import type { Report } from '../values/problem.ts'

/** True for a YAML map. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const MAX_LENGTH = 1024 * 1024

/** The top level of the file, or undefined if the file has a problem. An empty file is an empty map. */
export function readYaml(
  text: string,
  { name, report }: { name: string; report: Report },
): Readonly<Record<string, unknown>> | undefined {
  if (text.length > MAX_LENGTH) {
    report.problem(name, 'is larger than 1 MiB. Is it the right file?')
    return undefined
  }
  const before = report.problems.length
  const problem = (what: string) => report.problem(name, what)
  let document: Document
  try {
    document = parseDocument(text)
  } catch {
    problem('cannot be read as YAML. Is it nested too deeply?')
    return undefined
  }
  for (const { code, linePos } of document.errors) {
    const at = `line ${linePos?.[0].line}, column ${linePos?.[0].col}`
    if (code === 'DUPLICATE_KEY') problem(`the key at ${at} is a duplicate. Remove it.`)
    else if (code === 'MULTIPLE_DOCS') problem(`holds a second document at ${at}. Remove it.`)
    else
      problem(`is not YAML at ${at} (${code}). Check the indentation, quotes and brackets there.`)
  }
  if (document.warnings.length > 0) problem('uses tags (a word after "!"). Remove them.')
  visit(document, {
    Pair: (_, { key }) => {
      if (isScalar(key) && key.value === '__proto__') problem('has a key __proto__. Rename it.')
    },
  })
  if (
    document.contents !== null &&
    !isMap(document.contents) &&
    report.problems.length === before
  ) {
    if (isScalar(document.contents) && document.contents.value === null) return {}
    problem('is not a map of settings. Write lines like `public_url: https://auth.example.com`.')
  }
  if (report.problems.length > before) return undefined
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 })
    return isRecord(value) ? value : {}
  } catch {
    problem('uses aliases (*name) that are undefined or expand too far. Write the values out.')
    return undefined
  }
}
