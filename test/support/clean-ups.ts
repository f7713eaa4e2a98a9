/**
 * The end of what a test has started. Test files share their modules (`isolate: false`), and a hook that a module
 * registers holds for the first file alone; so `setup.ts`, which runs for each file, registers the hook.
 *
 * @module
 */
const cleanUps: (() => unknown)[] = []

/** Has this run after the test. */
export function afterTest(cleanUp: () => unknown): void {
  cleanUps.push(cleanUp)
}

/** Ends everything that is still there, at once: a server's end may wait for the connections of another. */
export async function runCleanUps(): Promise<void> {
  await Promise.all(cleanUps.splice(0).map(async (cleanUp) => cleanUp()))
}
