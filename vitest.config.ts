import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/setup.ts'],
    exclude: ['test/e2e/**', 'node_modules/**'],
    restoreMocks: true,
    // Some make RSA keys or start programs, on machines that are busy with others.
    testTimeout: 20_000,
    // Tests share no state but modules, whose loading would take as long as the tests.
    isolate: false,
    // Vitest would leave a core idle, which is half of a small machine.
    maxWorkers: '100%',
  },
})
