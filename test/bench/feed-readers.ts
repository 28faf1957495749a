// The readers of the feed's benchmark, in a process of their own: raw sockets that do next to nothing. Each message has
// one tilde, right after the time at which it was sent.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { z } from 'zod'
import { percentile } from './table.ts'

export const planSchema = z.object({ port: z.number(), path: z.string(), subscribers: z.number(), messages: z.number() })
export const resultSchema = z.object({ delivered: z.number(), first: z.number(), last: z.number(), p50: z.number(), p99: z.number() })

const tilde = 0x7e
const now = () => performance.timeOrigin + performance.now()

async function read({ port, path, subscribers, messages }: z.output<typeof planSchema>): Promise<void> {
  const done = Promise.withResolvers<void>()
  const latencies: number[] = []
  let [delivered, first, last] = [0, 0, 0]

  const look = (bytes: Buffer) => {
    for (let at = bytes.indexOf(tilde); at >= 0; at = bytes.indexOf(tilde, at + 1)) {
      delivered += 1
      if (delivered % 17 !== 0) continue
      const sent = Number(/[\d.]+$/.exec(bytes.toString('latin1', Math.max(0, at - 18), at))?.[0])
      if (sent > 1e12) latencies.push(now() - sent)
    }
    if (first === 0) first = now()
    if (delivered < subscribers * messages) return
    last = now()
    done.resolve()
  }

  const sockets: Socket[] = []
  for (let index = 0; index < subscribers; index++) sockets.push(await open(port, path, look))
  process.stdout.write('open\n')
  await done.promise
  const result = { delivered, first, last, p50: percentile(latencies, 50), p99: percentile(latencies, 99) }
  process.stdout.write(`${JSON.stringify(result)}\n`)
}

async function open(port: number, path: string, look: (bytes: Buffer) => void): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n`)
  const [answer] = await once(socket, 'data')
  if (!String(answer).startsWith('HTTP/1.1 200')) throw new Error(`A reader was not let in: ${answer}`)
  return socket.on('data', look)
}

if (import.meta.main) {
  await read(planSchema.parse(JSON.parse(process.argv[2] ?? '')))
  process.exit(0)
}
