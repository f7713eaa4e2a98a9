import { afterEach } from 'vitest'
import { runCleanUps } from './clean-ups.ts'

afterEach(runCleanUps)
