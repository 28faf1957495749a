// The load on `POST /hooks`, in a process of its own: as many connections as asked for, each sending its next request as
// soon as the last one is answered, every request a new delivery. The first moments do not count: everything warms up.
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createHistogram } from 'node:perf_hooks'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import autocannon from 'autocannon'
import { z } from 'zod'
import { sourceToken } from '../support/service.ts'
import { pushBody } from './bodies.ts'

const planSchema = z.object({ url: z.string(), connections: z.number(), warmUp: z.number(), seconds: z.number(), bytes: z.number() })
const loadSchema = z.object({
  /** Answers that count, in a second. */
  rate: z.number(),
  p50: z.number(),
  p99: z.number(),
  /** All answers there were, with those of the first moments. */
  answers: z.number(),
  refused: z.number(),
})

/** `warmUp` and `seconds` are the time before and during which answers count; `bytes` is the size of a body. */
export type Plan = z.output<typeof planSchema>
export type Load = z.output<typeof loadSchema>

// In seconds, however few answers there are.
const longest = 60

/** Puts the load on `plan.url` from a child process. Throws when a request is not answered with 202. */
export async function load(plan: Plan): Promise<Load> {
  const { stdout } = await promisify(execFile)(process.execPath, [import.meta.filename, JSON.stringify(plan)])
  const result = loadSchema.parse(JSON.parse(stdout))
  if (result.refused > 0) throw new Error(`${plan.url} did not take ${result.refused} of ${result.answers} requests.`)
  return result
}

function fire({ url, connections, warmUp, seconds, bytes }: Plan): Promise<Load> {
  const body = Buffer.from(pushBody(bytes))
  const latencies = createHistogram()
  const run = randomUUID()
  const since = performance.now() + warmUp * 1000
  let [sent, answers, counted, refused, last] = [0, 0, 0, 0, since]
  const headers = (number: number) => ({
    'content-type': 'application/json',
    'user-agent': 'GitLab/19.2.0',
    'x-gitlab-event': 'System Hook',
    'x-gitlab-token': sourceToken,
    'idempotency-key': `${run}-${number}`,
  })
  const setupRequest = (plain: object) => {
    sent += 1
    return { ...plain, headers: headers(sent) }
  }
  const request = { method: 'POST', path: '/hooks', body, setupRequest }

  return new Promise((resolve, reject) => {
    const cannon = autocannon(
      { url, connections, duration: longest, sampleInt: 20, requests: [request] },
      (error, { errors, timeouts }) => {
        if (error) return reject(error)
        const milliseconds = (percentile: number) => latencies.percentile(percentile) / 1000
        const rate = counted / ((last - since) / 1000)
        resolve({ rate, p50: milliseconds(50), p99: milliseconds(99), answers, refused: refused + errors + timeouts })
      },
    )
    cannon.on('response', (_client: unknown, status: number, _bytes: number, ms: number) => {
      answers += 1
      if (status !== 202) refused += 1
      const now = performance.now()
      if (now < since) return
      counted += 1
      last = now
      latencies.record(Math.max(1, Math.round(ms * 1000)))
      if (now > since + seconds * 1000 && counted >= connections) cannon.stop()
    })
  })
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const plan = planSchema.parse(JSON.parse(process.argv[2] ?? ''))
  process.stdout.write(JSON.stringify(await fire(plan)))
}
