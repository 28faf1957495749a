// A remote that answers what a test tells it to, on a real socket, and remembers what it was asked.
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export type Asked = { method: string; path: string; headers: IncomingHttpHeaders; body: string; socket: Socket }
export type Given = { status?: number; headers?: Record<string, string>; body?: string | object }
type Answering = (asked: Asked, response: ServerResponse) => Given | undefined

export type Remote = {
  url: string
  port: number
  asked: Asked[]
  /** From now on. An answer of undefined means that `answering` writes to the response itself, or never. */
  answer: (answering: Answering | Given) => void
  [Symbol.asyncDispose]: () => Promise<void>
}

export async function startAnswering(first: Answering | Given = {}): Promise<Remote> {
  let answering = first
  const asked: Asked[] = []

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of incoming.setEncoding('utf8')) body += String(chunk)
    const one = { method: incoming.method ?? '', path: incoming.url ?? '', headers: incoming.headers, body, socket: incoming.socket }
    asked.push(one)
    const given = typeof answering === 'function' ? answering(one, response) : answering
    if (!given) return
    const text = typeof given.body === 'object' ? JSON.stringify(given.body) : (given.body ?? '')
    const type = typeof given.body === 'object' ? 'application/json' : 'text/html; charset=utf-8'
    response.writeHead(given.status ?? 200, { 'content-type': type, ...given.headers }).end(text)
  }

  const server = createServer((incoming, response) => void serve(incoming, response).catch(() => response.destroy()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    asked,
    answer: (next) => {
      answering = next
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
