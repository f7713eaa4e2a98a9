/**
 * The real browser of the end-to-end tests.
 *
 * @module
 */
import { type Browser as Chromium, chromium } from 'playwright-core'
import { toolPath } from './tools.ts'

/**
 * Starts Debian's Chromium, without the calls home that a closed network refuses. Close it when done.
 * @param furtherArguments of the command
 */
export function startChromium(furtherArguments: readonly string[] = []): Promise<Chromium> {
  return chromium.launch({
    executablePath: toolPath('chromium'),
    args: [
      '--headless',
      // Chromium refuses its sandbox to root, which CI runs as; it sees only our own pages here.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...furtherArguments,
    ],
  })
}
