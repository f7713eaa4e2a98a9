/**
 * Load on keep-alive connections of its own, without an HTTP client's cost: a request is a fixed block of bytes.
 *
 * @module
 */
import { connect, type Socket } from 'node:net'

export interface Load {
  readonly port: number
  readonly request: Buffer
}

/** Sends `count` requests, each as soon as the last is answered. @returns requests a second, and the last status */
export async function flood(
  load: Load,
  { count, connections }: { count: number; connections: number },
): Promise<{ perSecond: number; status: number }> {
  let left = count
  let status = 0
  const started = performance.now()
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = await open(load.port)
      while (left-- > 0) status = await exchange(socket, load.request)
      socket.destroy()
    }),
  )
  return { perSecond: count / ((performance.now() - started) / 1000), status }
}

/** Sends each request once; the connections use the ports in turn. @returns requests a second, and every status seen */
export async function floodEach(
  requests: readonly Buffer[],
  { ports, connections }: { ports: readonly number[]; connections: number },
): Promise<{ perSecond: number; statuses: ReadonlySet<number> }> {
  let next = 0
  const statuses = new Set<number>()
  const started = performance.now()
  await Promise.all(
    Array.from({ length: connections }, async (_, index) => {
      const socket = await open(ports[index % ports.length] ?? 0)
      for (let request = requests[next++]; request; request = requests[next++]) {
        statuses.add(await exchange(socket, request))
      }
      socket.destroy()
    }),
  )
  return { perSecond: requests.length / ((performance.now() - started) / 1000), statuses }
}

/**
 * Sends requests at a constant rate, without waiting for answers. The clock of a request starts at its planned time, so
 * the result includes a stall.
 * @returns milliseconds at the 50th and 99th percentile
 */
export async function steady(
  load: Load,
  { perSecond, seconds, connections }: { perSecond: number; seconds: number; connections: number },
): Promise<{ p50: number; p99: number }> {
  const idle = await Promise.all(Array.from({ length: connections }, () => open(load.port)))
  const sockets = [...idle]
  const waiting: number[] = []
  const times: number[] = []
  const total = perSecond * seconds
  const started = performance.now()
  let due = 0

  await new Promise<void>((resolve) => {
    function serve(): void {
      for (;;) {
        const at = waiting[0]
        const socket = at === undefined ? undefined : idle.pop()
        if (at === undefined || !socket) return
        waiting.shift()
        void exchange(socket, load.request).then(() => {
          times.push(performance.now() - at)
          idle.push(socket)
          if (times.length === total) resolve()
          else serve()
        })
      }
    }
    const timer = setInterval(() => {
      const elapsed = performance.now() - started
      for (; due < total && (due * 1000) / perSecond <= elapsed; due++) {
        waiting.push(started + (due * 1000) / perSecond)
      }
      if (due === total) clearInterval(timer)
      serve()
    }, 1)
  })
  for (const socket of sockets) socket.destroy()
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor(times.length * share)] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99) }
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket.setNoDelay()))
    socket.once('error', reject)
  })
}

/** Sends a request and resolves to the status when the answer is complete. */
function exchange(socket: Socket, request: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    let answer = ''
    function onData(chunk: Buffer): void {
      answer += chunk.toString('latin1')
      if (!isComplete(answer)) return
      socket.off('data', onData)
      socket.off('close', onClose)
      resolve(Number(answer.slice(9, 12)))
    }
    const onClose = () => reject(new Error('the server closed the connection'))
    socket.on('data', onData)
    socket.once('close', onClose)
    socket.write(request)
  })
}

function isComplete(answer: string): boolean {
  const head = answer.indexOf('\r\n\r\n')
  if (head === -1) return false
  const length = /\r\ncontent-length: (\d+)/i.exec(answer.slice(0, head))
  if (length) return answer.length >= head + 4 + Number(length[1])
  return answer.endsWith('0\r\n\r\n')
}
