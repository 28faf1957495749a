// Readers of the feed that stop reading once their stream has begun, in a process of its own.
import { once } from 'node:events'
import { connect } from 'node:net'
import { z } from 'zod'
import { letGo } from '../support/leashed.ts'
import { startReading } from './programs.ts'

const planSchema = z.object({ port: z.number(), path: z.string(), readers: z.number() })

type Plan = z.output<typeof planSchema>

/** Opens the streams; what is answered closes them. */
export async function startStalled(plan: Plan): Promise<() => Promise<void>> {
  if (plan.readers === 0) return () => Promise.resolve()
  const { child, complaint } = await startReading(import.meta.filename, plan)
  return async () => {
    if (child.exitCode !== null) throw new Error(`The readers have not stayed. ${complaint()}`)
    await letGo(child)
  }
}

async function open({ port, path, readers }: Plan): Promise<void> {
  for (let index = 0; index < readers; index++) {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n`)
    const [answer] = await once(socket, 'data')
    if (!String(answer).startsWith('HTTP/1.1 200')) throw new Error(`Reader ${index + 1} of ${readers} was not let in: ${answer}`)
    socket.pause()
  }
  setInterval(() => undefined, 60_000) // sockets that do not read keep no process alive
  process.stdout.write('open\n')
}

if (import.meta.main) await open(planSchema.parse(JSON.parse(process.argv[2] ?? '')))
