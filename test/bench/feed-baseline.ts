// What the feed is compared with: plain node:http that reads the same log in Redis and writes each message to everybody,
// one write for each (`each`) or one for all that came together (`joined`). What is posted to it goes into that log as it
// is. Says on which port it listens, like the service.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { patientRedis } from '#shared/queue/queues.ts'
import { openRelay } from '#shared/queue/relay.ts'

const open = () => openRelay({ redis: patientRedis(process.env.REDIS_URL ?? ''), prefix: process.env.REDIS_PREFIX ?? '' })
const [relay, log] = [open(), open()] // reading waits, and nothing else may wait behind it
const responses = new Set<ServerResponse>()

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
  await log.publish(String(request.headers['idempotency-key']), body)
  response.writeHead(202).end()
}

const server = createServer((request, response) => {
  if (request.method === 'POST') return void take(request, response)
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  response.write(':\n\n')
  responses.add(response.on('close', () => responses.delete(response)))
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  process.stdout.write(`${JSON.stringify({ pid: process.pid, port })}\n`)
})

for (let newest = await relay.newest(); ; ) {
  const entries = await relay.read(newest, 64, { block: 2000 })
  newest = entries.at(-1)?.cursor ?? newest
  const frames = entries.map(({ cursor, message }) => Buffer.from(`id: ${cursor}\ndata: ${message}\n\n`))
  const pieces = process.env.WRITES === 'joined' && frames.length > 0 ? [Buffer.concat(frames)] : frames
  for (const piece of pieces) for (const response of responses) response.write(piece)
}
