// The readers of the feed's benchmarks, in a process of their own: raw sockets that do next to nothing. Each message has
// one tilde, right after the time at which it was sent.
import { once } from 'node:events'
import { connect } from 'node:net'
import { z } from 'zod'
import { letGo } from '../support/leashed.ts'
import { startReading } from './programs.ts'
import { percentile } from './table.ts'

const planSchema = z.object({ port: z.number(), path: z.string(), subscribers: z.number(), messages: z.number() })
const resultSchema = z.object({
  delivered: z.number(),
  first: z.number(),
  last: z.number(),
  p50: z.number(),
  p95: z.number(),
  p99: z.number(),
  longest: z.number(),
})

export type Plan = z.output<typeof planSchema>
export type Result = z.output<typeof resultSchema>

/** Opens `subscribers` streams. `result` comes when each has had so many `messages`; times in ms. */
export async function startReaders(plan: Plan): Promise<{ result: Promise<Result>; stop: () => Promise<void> }> {
  const { child, lines } = await startReading(import.meta.filename, plan)
  const result = once(lines, 'line').then(([line]) => resultSchema.parse(JSON.parse(String(line))))
  return { result, stop: () => letGo(child) }
}

const tilde = 0x7e
const now = () => performance.timeOrigin + performance.now()

async function read({ port, path, subscribers, messages }: Plan): Promise<void> {
  const done = Promise.withResolvers<void>()
  const latencies: number[] = []
  const looksAt = subscribers < 100 ? 1 : 17 // each of so many
  let [delivered, first, last] = [0, 0, 0]

  const look = (bytes: Buffer) => {
    for (let at = bytes.indexOf(tilde); at >= 0; at = bytes.indexOf(tilde, at + 1)) {
      delivered += 1
      if (delivered % looksAt !== 0) continue
      const sent = Number(/[\d.]+$/.exec(bytes.toString('latin1', Math.max(0, at - 18), at))?.[0])
      if (sent > 1e12) latencies.push(now() - sent)
    }
    if (first === 0) first = now()
    if (delivered < subscribers * messages) return
    last = now()
    done.resolve()
  }

  for (let index = 0; index < subscribers; index++) await open(port, path, look)
  process.stdout.write('open\n')
  await done.promise
  const of = (percent: number) => percentile(latencies, percent)
  const result: Result = { delivered, first, last, p50: of(50), p95: of(95), p99: of(99), longest: of(100) }
  process.stdout.write(`${JSON.stringify(result)}\n`)
}

// What a socket reads is looked at before another one reads: they share one buffer.
const shared = Buffer.alloc(65_536)

function open(port: number, path: string, look: (bytes: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let isOpen = false
    const callback = (length: number) => {
      const bytes = shared.subarray(0, length)
      if (isOpen) look(bytes)
      else if (bytes.toString('latin1', 0, 12) === 'HTTP/1.1 200') resolve()
      else reject(new Error(`A reader was not let in: ${bytes.toString()}`))
      isOpen = true
      return true
    }
    const socket = connect({ port, host: '127.0.0.1', onread: { buffer: shared, callback } }).on('error', reject)
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n`)
  })
}

if (import.meta.main) {
  await read(planSchema.parse(JSON.parse(process.argv[2] ?? '')))
  process.exit(0)
}
