// One remote of the sandbox as an HTTP server on loopback. It reads a request to its end, writes down that it came,
// and then answers, or misbehaves as the fault of the moment says. What a handler does, it does even when the
// client has hung up meanwhile: the real ones do so too, and that is what our retries have to live with.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from '../support/ports.ts'

export type Received = { method: string; url: URL; headers: IncomingHttpHeaders; body: Buffer }
export type Answer = { status: number; headers?: Record<string, string>; body: string }

/** `status` stays undefined for as long as no answer was given. `traceparent` is the header, where it came. Tokens are never in here. */
export type Recorded = { method: string; path: string; body: string; at: string; status: number | undefined; traceparent?: string }

export type Fault = { match?: (request: Recorded) => boolean; times?: number } & (
  | { kind: 'refuse' | 'hang' | 'commit-then-drop' | 'commit-then-hang' }
  | { kind: 'status'; status: number; headers?: Record<string, string>; body?: string }
  | { kind: 'slow'; ms: number }
  /** Carried out after `ms`; before that, after `soonMs`, the connection breaks, or a front end answers with `status`. */
  | { kind: 'late'; ms: number; soonMs: number; status?: number }
)

export type Remote = {
  url: string
  requests: Recorded[]
  /** From now on; `undefined` heals. Of several rules the first that matches counts; one with `times` wears off by itself. */
  fault(rule: Fault | Fault[] | undefined): void
  /** How many requests are being carried out, whether or not somebody still waits for the answer. */
  atWork(): number
  /** Really closes the port; `up` opens the same one again. */
  down(): Promise<void>
  up(): Promise<void>
  close(): Promise<void>
}

type Options = {
  port: number
  handle: (request: Received) => Answer | Promise<Answer>
  /** What of a request may be remembered: path and body without any token. */
  record: (request: Received) => { path: string; body: string }
}

export async function startRemote({ port, handle, record }: Options): Promise<Remote> {
  const requests: Recorded[] = []
  const closing = new AbortController()
  let rules: Fault[] = []
  let atWork = 0

  const server = createServer((incoming, response) => {
    atWork++
    const serving = serve(incoming, response).finally(() => atWork--)
    serving.catch((error: unknown) => {
      if (closing.signal.aborted) return
      response.writeHead(500, { 'Content-Type': 'text/plain' })
      response.end(`The sandbox itself failed: ${error instanceof Error ? error.stack : String(error)}`)
    })
  })
  server.on('clientError', (_error, socket) => socket.destroy())
  let url = ''

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(incoming)
    if (!body) return
    const method = incoming.method ?? 'GET'
    const request = { method, url: new URL(incoming.url ?? '/', url), headers: incoming.headers, body }
    const { traceparent } = incoming.headers
    const traced = typeof traceparent === 'string' ? { traceparent } : {}
    const recorded: Recorded = { method, ...record(request), at: new Date().toISOString(), status: undefined, ...traced }
    requests.push(recorded)
    const fault = takeFault(recorded)
    if (fault?.kind === 'refuse') return void response.destroy()
    if (fault?.kind === 'hang') return
    if (fault?.kind === 'slow') await wait(fault.ms, undefined, { signal: closing.signal })
    if (fault?.kind === 'late') {
      await wait(fault.soonMs, undefined, { signal: closing.signal })
      if (fault.status === undefined) response.destroy()
      else response.writeHead(fault.status, { 'Content-Length': 0 }).end()
      recorded.status = fault.status
      await wait(fault.ms - fault.soonMs, undefined, { signal: closing.signal })
      return void (await handle(request))
    }
    const answer = fault?.kind === 'status' ? { body: '', ...fault } : await handle(request)
    if (fault?.kind === 'commit-then-drop') return void response.destroy()
    if (fault?.kind === 'commit-then-hang') return
    recorded.status = answer.status
    response.writeHead(answer.status, { 'Content-Length': Buffer.byteLength(answer.body), ...answer.headers })
    response.end(method === 'HEAD' ? '' : answer.body)
  }

  function takeFault(request: Recorded): Fault | undefined {
    const fault = rules.find(({ times, match }) => times !== 0 && (match?.(request) ?? true))
    if (fault?.times !== undefined) rules = rules.map((rule) => (rule === fault ? { ...rule, times: (rule.times ?? 0) - 1 } : rule))
    return fault
  }

  function listen(on: number): Promise<void> {
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(on, '127.0.0.1', () => {
        server.off('error', reject)
        resolve()
      })
    })
  }

  function stop(): Promise<void> {
    return new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }

  // Never one that the system gives to somebody else while it is down.
  await listen(port || (await freePort()))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The sandbox listens on TCP ports only.')
  url = `http://127.0.0.1:${address.port}`

  return {
    url,
    requests,
    atWork: () => atWork,
    fault: (next) => {
      rules = next === undefined ? [] : [next].flat()
    },
    down: stop,
    up: () => (server.listening ? Promise.resolve() : listen(address.port)),
    close: () => {
      closing.abort()
      return stop()
    },
  }
}

// By events and not as an async iterator: that one fails when the client is gone, even if all it sent has arrived.
function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const finish = () => resolve(incoming.complete ? Buffer.concat(chunks) : undefined)
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', finish)
    incoming.on('close', finish)
    incoming.on('error', finish)
  })
}

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(value) }
}

export function htmlPage(status: number, body: string): Answer {
  return { status, headers: { 'Content-Type': 'text/html; charset=UTF-8' }, body }
}
