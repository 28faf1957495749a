// `canary`: does the whole way work, from the address that GitLab posts to, to the feed?
import type { Command } from 'commander'
import { z } from 'zod'
import { configure, readEnvironment } from '#shared/process/env.ts'
import { inWords } from '#shared/process/errors.ts'
import { sinkSecrets } from '#sinks/settings.ts'
import { canaryVariables, type Flight, howFar, sendCanary } from '../actions/canary.ts'
import { isJson } from '../command.ts'
import { openUncheckedContext, opsSchema } from '../context.ts'
import { BadUsage, type Typed } from '../usage.ts'
import { joined, lines, output, outputJson, type Words, warn, words } from '../words.ts'

const address = (name: string) =>
  z.url({
    protocol: /^https?$/,
    error: `--${name}: expected an address such as https://hooks.example.org/${name === 'url' ? 'hooks' : 'sse/'}`,
  })
const timeoutForm = '--timeout: expected a number of seconds from 1 to 3600'
const optionsSchema = z.object({
  url: address('url').optional(),
  feed: address('feed').optional(),
  timeout: z.coerce.number(timeoutForm).min(1, timeoutForm).max(3600, timeoutForm),
})

/** Sends one, and says how far it came. Throws `BadUsage`. */
export async function canary(given: Typed, command: Command): Promise<void> {
  const options = optionsSchema.safeParse(given)
  if (!options.success) throw new BadUsage(options.error.issues.map(({ message }) => message).join('\n'))
  const { SOURCE_TOKEN: token, SOURCE_SIGNING_KEY: signingKey, PORT: port } = configure(canaryVariables)
  const hooks = new URL(options.data.url ?? `http://127.0.0.1:${port}/hooks`)
  const feed = new URL(options.data.feed ?? '/sse/', hooks)
  const flight = await sendCanary({ hooks, feed, token, signingKey, timeout: options.data.timeout * 1000 })
  const stages = flight.read ? { routed: true, published: true } : await stagesOf(flight)
  const data = { ...flight, ...stages }
  if (isJson(command)) outputJson(data)
  else output(inLines(data))
  process.exitCode = flight.read ? 0 : 1
}

type Stages = { routed: boolean | null; published: boolean | null }

// What Redis knows of it; null where it cannot be asked from here.
async function stagesOf(flight: Flight): Promise<Stages> {
  if (!flight.answered) return { routed: false, published: false }
  try {
    const context = await openUncheckedContext(readEnvironment(opsSchema, process.env, sinkSecrets))
    const stages = await howFar(context, flight)
    await context.close()
    return stages
  } catch (error) {
    warn(words`The queues cannot be asked: ${inWords(error)}`)
    return { routed: null, published: null }
  }
}

function inLines({ id, answered, routed, published, read, ms, problem }: Flight & Stages): Words {
  if (read) return words`${id} came out of the feed after ${String(ms)} ms.`
  const word = (reached: boolean | null) => (reached === null ? 'unknown' : reached ? 'yes' : 'no')
  return lines([
    joined([`${id} did not come out of the feed.`, problem], ' '),
    `  answered 202   ${word(answered)}`,
    `  routed         ${word(routed)}`,
    `  published      ${word(published)}`,
    `  read           ${word(read)}`,
  ])
}
