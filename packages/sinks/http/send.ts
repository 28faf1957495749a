// One HTTP request that is written only when its connection stands and nobody minds any more. A fetch would make the
// connection in between, and a process that is frozen there would write its request long after it was allowed to.
import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import https from 'node:https'
import { TLSSocket } from 'node:tls'

export type Sending = RequestOptions & {
  body?: string | undefined
  /** Called when the connection stands; nothing but the writing of the request comes after it. */
  before?: (() => Promise<void>) | undefined
}

/**
 * The answer to a request to `url`, once its head is there; reading it may still fail. Throws network errors, an
 * AbortError when `signal` aborts, and what `before` throws: then nothing was sent.
 */
export async function send(url: string, { body, before, ...options }: Sending): Promise<IncomingMessage> {
  const request = (url.startsWith('https:') ? https : http).request(url, options)
  const answer = new Promise<IncomingMessage>((resolve) => request.on('response', resolve))
  const failure = new Promise<never>((_resolve, reject) => request.on('error', reject))
  failure.catch(() => undefined) // after the answer's head it is for whoever reads on
  try {
    await Promise.race([connected(request), failure])
    await Promise.race([before?.(), failure])
  } catch (error) {
    request.destroy()
    throw error
  }
  request.end(body)
  return await Promise.race([answer, failure])
}

function connected(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    request.once('socket', (socket) => {
      if (socket instanceof TLSSocket && socket.getProtocol() === null) socket.once('secureConnect', resolve)
      else if (socket.connecting) socket.once('connect', resolve)
      else resolve()
    })
  })
}
