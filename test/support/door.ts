// A way to a server that can be closed and opened again, for servers that cannot be stopped and started as they were.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { freePort } from './ports.ts'

/** `lead` has new connections go to another server; those that stand stay where they are. */
export type Door = { url: string; close: () => Promise<void>; open: () => Promise<void>; lead: (url: string) => void }

/** The server at `url`, seen through a port of our own. */
export async function openDoor(url: string): Promise<Door> {
  let target = new URL(url)
  const sockets = new Set<Socket>()
  const server = createServer((incoming) => {
    const outgoing = connect(Number(target.port), target.hostname)
    for (const [one, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(one)
      one
        .on('error', () => other.destroy())
        .on('close', () => {
          sockets.delete(one)
          other.destroy()
        })
      one.pipe(other)
    }
  })
  const port = await freePort()
  const open = async () => {
    if (server.listening) return
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  await open()
  const seen = new URL(url)
  seen.port = String(port)
  return {
    url: seen.href,
    open,
    lead(to) {
      target = new URL(to)
    },
    async close() {
      if (!server.listening) return
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}
