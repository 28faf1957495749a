// One HTTP request as Node makes it: with any method, and with bodies that `fetch` would refuse to send.
import { type Agent, type IncomingHttpHeaders, request } from 'node:http'
import { buffer } from 'node:stream/consumers'

export type Answer = { status: number; headers: IncomingHttpHeaders; body: Buffer }

type Request = {
  port: number
  path: string
  method?: string
  headers?: Record<string, string | string[]>
  body?: string | Uint8Array
  /** Sent one after another without a Content-Length, each when the one before has gone out. */
  chunks?: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
  agent?: Agent
}

/** Sends it, and resolves with the whole answer; rejects when there is none. */
export async function send({ port, path, method = 'POST', headers = {}, body, chunks, agent }: Request): Promise<Answer> {
  const outgoing = request({ port, host: '127.0.0.1', path, method, headers, ...(agent && { agent }) })
  const answer = new Promise<Answer>((resolve, reject) => {
    outgoing.on('error', reject).on('response', (incoming) => {
      buffer(incoming).then((bytes) => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: bytes }), reject)
    })
  })
  if (chunks === undefined) outgoing.end(body)
  else void pour(outgoing, chunks)
  return await answer
}

async function pour(outgoing: NodeJS.WritableStream & { destroyed?: boolean }, chunks: NonNullable<Request['chunks']>): Promise<void> {
  for await (const chunk of chunks) {
    if (outgoing.destroyed === true) return
    await new Promise<void>((resolve) => outgoing.write(chunk, () => resolve()))
  }
  outgoing.end()
}
