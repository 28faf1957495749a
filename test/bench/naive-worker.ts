// What the worker is compared with: what most would write with the same parts. One BullMQ worker, ten jobs at a time, that
// comments on the task which the merge request names and appends one message: no order, no look before a repeat, no journal.
import { Agent, request } from 'node:http'
import { Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { z } from 'zod'

const env = z
  .object({ REDIS_URL: z.string(), REDIS_PREFIX: z.string(), PHABRICATOR_URL: z.string(), PHABRICATOR_TOKEN: z.string() })
  .parse(process.env)
const hookSchema = z.object({
  user: z.object({ username: z.string() }),
  object_attributes: z.object({ action: z.string(), url: z.string(), title: z.string(), description: z.string() }),
})
const redis = new Redis(env.REDIS_URL, { maxRetriesPerRequest: null })
const agent = new Agent({ keepAlive: true })

const worker = new Worker(
  'deliveries',
  async ({ data }) => {
    const { user, object_attributes: merge } = hookSchema.parse(data)
    const task = /^Bug: (T\d+)$/m.exec(merge.description)?.[1]
    if (task) await comment(task, `${user.username} ${merge.action} ${merge.url}\n\n${merge.title}`)
    await redis.xadd(`${env.REDIS_PREFIX}:feed`, '*', 'message', JSON.stringify(data))
  },
  { connection: redis, prefix: env.REDIS_PREFIX, concurrency: 10, removeOnComplete: { count: 1000 } },
)
await worker.waitUntilReady()

function comment(task: string, text: string): Promise<void> {
  const params = {
    objectIdentifier: task,
    transactions: [{ type: 'comment', value: text }],
    __conduit__: { token: env.PHABRICATOR_TOKEN },
  }
  const body = new URLSearchParams({ params: JSON.stringify(params) }).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    const asking = request(`${env.PHABRICATOR_URL}/api/maniphest.edit`, { agent, method: 'POST', headers }, (response) => {
      let answer = ''
      response.setEncoding('utf8').on('data', (text: string) => (answer += text))
      response.on('error', reject).on('end', () => {
        if (z.object({ error_code: z.null() }).safeParse(JSON.parse(answer)).success) resolve()
        else reject(new Error(answer))
      })
    })
    asking.on('error', reject).end(body)
  })
}

process.stdout.write(`${JSON.stringify({ pid: process.pid, port: 0 })}\n`)
process.on('SIGTERM', () => process.exit(0))
