/**
 * Ends the processes that its parent started, however the parent ends.
 *
 * The parent writes `+<pid>` and `-<pid>` lines to this process's standard input. The kernel closes that pipe when
 * the parent dies, even by SIGKILL, which no handler inside the parent could notice.
 *
 * @module
 */
import process from 'node:process'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'

const GRACE_MS = 5_000
const groups = new Set()

for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1))
  if (line.startsWith('+')) groups.add(pid)
  else groups.delete(pid)
}

const kill = (signal) => {
  for (const pid of groups) {
    try {
      process.kill(-pid, signal)
    } catch {
      groups.delete(pid)
    }
  }
}

kill('SIGTERM')
for (let waited = 0; groups.size > 0 && waited < GRACE_MS; waited += 100) {
  await setTimeout(100)
  kill(0)
}
kill('SIGKILL')
