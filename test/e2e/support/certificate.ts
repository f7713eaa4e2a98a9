/**
 * A certificate for loopback, a new one for each test world.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface Certificate {
  readonly certFile: string
  readonly keyFile: string
}

const ALTERNATIVES = ['DNS:localhost', 'IP:127.0.0.1', 'IP:::1']

/**
 * Makes a self-signed certificate for `localhost`, `127.0.0.1` and `::1` in `folder`; clients trust it as its own CA.
 * @param names further names
 */
export async function makeCertificate(
  folder: string,
  names: readonly string[] = [],
): Promise<Certificate> {
  await mkdir(folder, { recursive: true })
  const certFile = join(folder, 'cert.pem')
  const keyFile = join(folder, 'key.pem')
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'],
    ...['-keyout', keyFile, '-out', certFile, '-days', '2', '-subj', '/CN=localhost'],
    ...['-addext', `subjectAltName=${[...ALTERNATIVES, ...names.map((name) => `DNS:${name}`)]}`],
  ])
  return { certFile, keyFile }
}
