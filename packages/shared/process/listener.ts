// An HTTP listener that can be stopped without dropping a request.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { getRequestListener } from '@hono/node-server'
import { openConnections } from './connections.ts'
import { connectionsAtMost } from './descriptors.ts'
import { linger } from './linger.ts'

type Fetch = Parameters<typeof getRequestListener>[0]

type Options = {
  fetch: Fetch
  host: string
  port: number
  /** How many connections there may be at once. */
  connections?: number
  /** `fetch` itself tells senders that ask first (`Expect: 100-continue`) to send their body. */
  invites?: boolean
  /** Called when a connection is closed to make room for another. */
  onCrowded?: () => void
}

export type Listener = {
  port: number
  /**
   * Goes on answering for a moment while telling its clients to open no further request on their connections, then
   * takes no new ones, and waits for the answers under way. What is left after `patienceMs` is closed.
   */
  stop: (patienceMs?: number) => Promise<void>
}

// Longer than the keep-alive of usual proxies, so that it is never we who close a connection they are about to use.
const keepAliveMs = 75_000
// For the head of a request, and for the first one on a connection.
const headMs = 5000
const lookMs = 1000
const farewellMs = 300
const unusedMs = 1000
const flushMs = 3000

/** Serves `fetch` on `host`:`port` (0: any free one). Rejects when it cannot listen there. */
export async function listen({
  fetch,
  host,
  port,
  connections: most = connectionsAtMost(),
  invites = false,
  onCrowded = () => undefined,
}: Options): Promise<Listener> {
  const answer = getRequestListener(fetch, { hostname: 'localhost' }) // for probes in HTTP/1.0, which name no host
  const connections = openConnections(most, onCrowded)
  let count = 0
  let stopping = false
  let held: Promise<void> | undefined

  const server = createServer({
    keepAliveTimeout: keepAliveMs,
    requestTimeout: 60_000,
    headersTimeout: headMs,
    connectionsCheckingInterval: lookMs,
  })
  // A sender may close its half of the connection when it has said all. Node has no documented option for that.
  Object.assign(server, { httpAllowHalfOpen: true })
  server.on('request', take)
  if (invites) server.on('checkContinue', take)
  server.on('connection', (socket) => {
    count++
    connections.add(socket)
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))

  function take(request: IncomingMessage, response: ServerResponse): void {
    if (!connections.asked(request.socket, response)) return
    if (stopping) response.setHeader('connection', 'close')
    void serve(request, response)
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (held) await held
    await answer(request, response)
    if (!request.complete) linger(request)
  }

  // Node takes a connection for idle whose answer has been written to its end, though the client has not read it yet.
  async function flushed(): Promise<void> {
    for (const deadline = Date.now() + flushMs; Date.now() < deadline; await pause(20))
      if (![...connections.open.values()].some(({ response }) => response?.writableEnded === true && !response.writableFinished)) return
  }

  // The system resets connections that are still in the listening socket's queue when it is closed. While no answers are
  // given, clients that send one request after another open no new connections, and the queue runs empty.
  async function closeQuietly(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    held = promise
    for (let calm = 0, rounds = 0, before = count; calm < 3 && rounds < 25; rounds++, before = count) {
      await pause(20)
      calm = count === before ? calm + 1 : 0
    }
    server.close()
    held = undefined
    resolve()
  }

  return {
    port: portOf(server),
    async stop(patienceMs = 6000) {
      const closed = new Promise<void>((resolve) => server.once('close', resolve))
      const late = setTimeout(() => server.closeAllConnections(), patienceMs)
      stopping = true
      for (const { response } of connections.open.values()) if (response?.headersSent === false) response.setHeader('connection', 'close')
      await pause(farewellMs)
      await flushed()
      await closeQuietly()
      const unused = setTimeout(() => closeUnused(connections.open.keys()), unusedMs)
      const idle = setInterval(() => server.closeIdleConnections(), 100)
      await closed
      clearTimeout(late)
      clearTimeout(unused)
      clearInterval(idle)
    },
  }
}

// Node does not count a connection as idle that was opened in advance and has never carried a request.
function closeUnused(sockets: Iterable<Socket>): void {
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}
