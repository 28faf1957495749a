// Stands between one process and Redis and sees each command before Redis does, so that a test can strike at a named
// moment: before a command is carried out, or when it has been and the answer is on its way.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** What to do about a command: `before` and `after` call `strike` then, and nothing more goes through. */
export type Verdict = 'pass' | 'before' | 'after'

export type RedisProxy = { url: string; close: () => void }

type Parts = { redisUrl: string; look: (command: string[]) => Verdict; strike: () => void }

export async function openRedisProxy({ redisUrl, look, strike }: Parts): Promise<RedisProxy> {
  const { hostname, port } = new URL(redisUrl)
  const sockets = new Set<Socket>()
  let over = false
  const end = () => {
    over = true
    strike()
    for (const socket of sockets) socket.destroy()
  }

  const server = createServer((client) => {
    const redis = connect(Number(port), hostname)
    for (const socket of [client, redis]) sockets.add(socket.on('error', () => undefined))
    client.on('close', () => redis.destroy())
    redis.on('close', () => client.destroy())
    const read = commandReader()
    let answered = false

    redis.on('data', (bytes) => {
      if (answered && !over) end()
      if (!over) client.write(bytes)
    })
    client.on('data', (bytes) => {
      for (const { command, raw } of read(bytes)) {
        if (over || answered) return
        const verdict = look(command)
        if (verdict === 'before') return end()
        answered = verdict === 'after'
        redis.write(raw)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `redis://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** Cuts what a client sends into commands: arrays of strings, as Redis clients write them. */
function commandReader(): (bytes: Buffer) => Array<{ command: string[]; raw: Buffer }> {
  let rest = Buffer.alloc(0)

  function next(): { command: string[]; raw: Buffer } | undefined {
    let at = 0
    const line = () => {
      const end = rest.indexOf('\r\n', at)
      if (end < 0) return undefined
      const text = rest.toString('latin1', at, end)
      at = end + 2
      return Number(text.slice(1))
    }
    const count = line()
    const command: string[] = []
    for (let index = 0; index < (count ?? 0); index++) {
      const length = line()
      if (length === undefined || rest.length < at + length + 2) return undefined
      command.push(rest.toString('utf8', at, at + length))
      at += length + 2
    }
    if (count === undefined) return undefined
    const raw = rest.subarray(0, at)
    rest = rest.subarray(at)
    return { command, raw }
  }

  return (bytes) => {
    rest = Buffer.concat([rest, bytes])
    const found: Array<{ command: string[]; raw: Buffer }> = []
    for (let one = next(); one; one = next()) found.push(one)
    return found
  }
}
