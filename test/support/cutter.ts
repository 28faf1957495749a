// A proxy for bytes that breaks a connection off in the middle of what it carries, once.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

export type Cutter = { port: number; hasCut: () => boolean; stop: () => void }

/** Carries connections to `target`, a port; the first one that brings `mark` from there ends in the middle of the mark. */
export async function startCutter(target: number, mark: string): Promise<Cutter> {
  let hasCut = false
  const server = createServer((client) => {
    const behind = connect(target, '127.0.0.1')
    const end = () => {
      client.destroy()
      behind.destroy()
    }
    let seen = ''
    client.on('data', (bytes) => behind.write(bytes))
    behind.on('data', (bytes: Buffer) => {
      seen = (seen + bytes.toString('latin1')).slice(-bytes.length - mark.length)
      const at = hasCut ? -1 : seen.indexOf(mark)
      if (at === -1) return void client.write(bytes)
      hasCut = true
      client.write(bytes.subarray(0, Math.max(0, bytes.length - seen.length + at + mark.length / 2)), end)
    })
    for (const socket of [client, behind]) socket.on('error', end).on('close', end)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return { port: typeof address === 'object' && address ? address.port : 0, hasCut: () => hasCut, stop: () => void server.close() }
}
