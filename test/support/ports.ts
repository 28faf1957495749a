// Ports for servers that stop and come back, and for addresses at which nobody shall be: no other process is given one of them
// meanwhile.
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

// Below those that the system gives out by itself, for connections as well.
const lowest = 10_000
const many = 20_000

/**
 * A port of this machine on which nobody listens; `freePort` gives it to nobody else as long as this process runs. With `above` the
 * one that is so many higher is free, too.
 */
export async function freePort(above = 0): Promise<number> {
  for (let tries = 0; tries < 1000; tries += 1) {
    const port = lowest + randomInt(many - above)
    if ((await take(port)) && (above === 0 || (await take(port + above)))) return port
  }
  throw new Error(`Of a thousand ports from ${lowest} on none could be taken.`)
}

// Its UDP port is the sign that it is taken: that goes with the process.
async function take(port: number): Promise<boolean> {
  const sign = createSocket('udp4').unref()
  const server = createServer()
  try {
    sign.bind({ port, address: '127.0.0.1', exclusive: true })
    await once(sign, 'listening')
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    return true
  } catch {
    sign.close()
    return false
  }
}
