// What a reader that resumes from the journal is compared with: plain node:http that selects messages page by page, uncompresses
// them and writes them, and nothing else: no chain, no filters, no privacy. Says on which port it listens, like the service.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { openDatabase } from '#shared/journal/database.ts'

const pageMessages = 100
const database = openDatabase(process.env.DATABASE_URL ?? '')

const server = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  response.write(':\n\n')
  void write(response, Number(String(request.headers['last-event-id']).split('-')[0]))
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  process.stdout.write(`${JSON.stringify({ pid: process.pid, port })}\n`)
})

async function write(response: ServerResponse, after: number): Promise<void> {
  for (let last = after; !response.destroyed; ) {
    const page = await database
      .selectFrom('feed')
      .innerJoin('messages', 'messages.delivery', 'feed.delivery')
      .select(['feed.time', 'messages.message'])
      .where('feed.time', '>', last)
      .orderBy('feed.time')
      .limit(pageMessages)
      .execute()
    const events = page.map(({ time, message }) => `id: ${time}-0\ndata: ${gunzipSync(message).toString()}\n\n`)
    if (!response.write(events.join(''))) await once(response, 'drain')
    last = page.at(-1)?.time ?? Number.POSITIVE_INFINITY
    if (page.length === 0) return
  }
}
