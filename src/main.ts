#!/usr/bin/env node
/**
 * The program's entry hands the process's own parts to the command line, and sets the exit code. It owns no command.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dispatch } from './cli/dispatch.ts'

const code = await dispatch(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  readFile: (path) => readFileSync(path, 'utf8'),
  listFolder: (path) => readdirSync(path),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
})
// Handles that a failed start leaves open must neither keep the process alive nor change its exit code.
if (code !== 0) process.exit(code)
