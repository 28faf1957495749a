// What `POST /hooks` is compared with: Hono that reads the body and answers 202, and, with REDIS_URL, the same with one
// bare `add` to a queue. Says on which port it listens, like the service, and tells its CPU time at /metrics.
import { serve } from '@hono/node-server'
import { Queue } from 'bullmq'
import { Hono } from 'hono'
import { Redis } from 'ioredis'

const url = process.env.REDIS_URL
const queue = url ? new Queue('deliveries', { connection: new Redis(url, { maxRetriesPerRequest: null }) }) : undefined
await queue?.waitUntilReady()

const app = new Hono()
app.post('/hooks', async (c) => {
  if (queue) await queue.add('delivery', await c.req.json())
  else await c.req.text()
  return c.json({ taken: true }, 202)
})
app.get('/metrics', (c) => {
  const { user, system } = process.cpuUsage()
  return c.text(`process_cpu_seconds_total ${(user + system) / 1e6}\n`)
})

serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
  process.stdout.write(`${JSON.stringify({ pid: process.pid, port })}\n`)
})
process.on('SIGTERM', () => process.exit(0))
