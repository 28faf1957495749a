// What a resuming reader is compared with: plain node:http that has a piece of the same messages in memory and writes it
// again and again, as fast as the connection takes it. Says on which port it listens, like the service.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { pushMessage } from './missed.ts'

const pieceMessages = 64
const piece = Buffer.from(`id: 1800000000000-0\ndata: ${pushMessage()}\n\n`.repeat(pieceMessages))

const server = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  response.write(':\n\n')
  void write(response, Number(request.url?.slice(1)))
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  process.stdout.write(`${JSON.stringify({ pid: process.pid, port })}\n`)
})

async function write(response: ServerResponse, messages: number): Promise<void> {
  for (let left = messages; left > 0; left -= pieceMessages) {
    const bytes = left < pieceMessages ? piece.subarray(0, (piece.length / pieceMessages) * left) : piece
    if (!response.write(bytes)) await once(response, 'drain')
  }
}
