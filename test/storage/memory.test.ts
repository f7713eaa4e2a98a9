import { describe, expect, it } from 'vitest'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { believedContract } from '../contract/believed-contract.ts'
import { formatContract } from '../contract/format-contract.ts'
import { coreContract } from '../contract/storage-contract.ts'

const openMemory = async (now: () => number) => ({
  storage: createMemoryStorage({ now }),
  remove: async () => {},
})
coreContract('memory', openMemory)
believedContract('memory', openMemory)
formatContract('memory', openMemory)

describe('memory storage', () => {
  it('lets go of expired records while others are written', async () => {
    let time = 0
    const storage = createMemoryStorage({ now: () => time })
    for (let n = 0; n < 1000; n += 1) await storage.set(`old:${n}`, n, 1)
    time = 1000
    for (let n = 0; n < 101; n += 1) await storage.set('other', n, 60)
    // After the clock is set back, a record that is still held would be seen again.
    time = 0
    let held = 0
    for await (const _record of storage.scan('old:')) held += 1
    expect(held).toBe(0)
  })
})
