/**
 * The real browser of the end-to-end tests.
 *
 * @module
 */
import { type Browser as Chromium, chromium } from 'playwright-core'
import { toolPath } from './tools.ts'

/**
 * Starts Debian's Chromium, without requests of its own, which a closed network refuses. The caller has to close it.
 * @param furtherArguments more arguments for its command line
 */
export function startChromium(furtherArguments: readonly string[] = []): Promise<Chromium> {
  return chromium.launch({
    executablePath: toolPath('chromium'),
    args: [
      '--headless',
      // Chromium has no sandbox for root, the user of CI. It opens only our own pages here.
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
