// A reader that comes back to the feed after it has missed `messages`, in a process of its own: a raw socket that counts
// the one tilde in each. Tells when the first message and the last one came, in ms after it asked.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import { z } from 'zod'

const planSchema = z.object({ port: z.number(), path: z.string(), cursor: z.string(), messages: z.number() })
const resultSchema = z.object({ first: z.number(), last: z.number() })

export type Missed = z.output<typeof planSchema>
export type Times = z.output<typeof resultSchema>

const tilde = 0x7e
const patience = 60_000

/** Reads the messages after `cursor` from a child process. Throws when the feed tells of a gap. */
export async function resume(missed: Missed): Promise<Times> {
  const { stdout } = await promisify(execFile)(process.execPath, [import.meta.filename, JSON.stringify(missed)])
  return resultSchema.parse(JSON.parse(stdout))
}

async function read({ port, path, cursor, messages }: Missed): Promise<Times> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const asked = performance.now()
  const done = Promise.withResolvers<Times>()
  let [count, first] = [0, 0]
  const timer = setTimeout(() => done.reject(new Error(`Only ${count} of ${messages} messages came.`)), patience)
  socket.on('data', (bytes: Buffer) => {
    if (bytes.includes('event: gap')) done.reject(new Error(`The feed told of a gap after ${count} of ${messages} messages.`))
    for (let at = bytes.indexOf(tilde); at >= 0; at = bytes.indexOf(tilde, at + 1)) count += 1
    if (bytes.includes('data: ')) timer.refresh()
    if (first === 0 && count > 0) first = performance.now() - asked
    if (count >= messages) done.resolve({ first, last: performance.now() - asked })
  })
  socket.on('close', () => done.reject(new Error(`The feed ended after ${count} of ${messages} messages.`)))
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nLast-Event-ID: ${cursor}\r\n\r\n`)
  return await done.promise
}

if (import.meta.main) {
  process.stdout.write(JSON.stringify(await read(planSchema.parse(JSON.parse(process.argv[2] ?? '')))))
  process.exit(0)
}
