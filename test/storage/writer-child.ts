/**
 * Writes until it is killed, and prints each write once it is acknowledged. Ten chains write at once, so that the kill
 * finds commits in every state.
 *
 * @module
 */
import { writeSync } from 'node:fs'
import { openFromArguments } from './place.ts'

const storage = await openFromArguments()
await Promise.all(
  Array.from({ length: 10 }, async (_, chain) => {
    for (let step = 0; ; step += 1) {
      const key = `${chain}.${step}`
      await storage.create(`kept:${key}`, { chain, step }, 'forever')
      writeSync(1, `created kept:${key}\n`)
      await storage.set(`spent:${key}`, { chain, step }, 'forever')
      await storage.take(`spent:${key}`)
      writeSync(1, `taken spent:${key}\n`)
    }
  }),
)
