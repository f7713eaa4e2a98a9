import { defineConfig } from 'vitest/config'

/** Real programs on real ports, which mostly wait for each other: two files at a time, with patience. */
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    globalSetup: ['test/e2e/support/shared-keycloak.ts'],
    setupFiles: ['test/support/setup.ts'],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
  },
})
