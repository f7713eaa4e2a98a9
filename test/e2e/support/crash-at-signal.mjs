/**
 * Preloaded into a program: it has a bug that SIGUSR2 brings out.
 *
 * @module
 */
process.once('SIGUSR2', () => {
  throw new Error('a bug of a program')
})
