// What it takes to carry hooks out: they wait, then their queue is opened. What it took counts only when the journal
// has everything; whether each effect is there once, whoever measures must look.
import { readFile } from 'node:fs/promises'
import { sql } from 'kysely'
import type { Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import type { Carrier, Due, Hook } from './carriers.ts'
import { cpuOf } from './processes.ts'

/** `rate` is hooks in a second, until the last effect is there; CPU is in ms for each hook, until the journal has all. */
export type Figures = { rate: number; workerCpu: number; redisCpu: number; databaseCpu: number }

/**
 * Has `hooks` carried out. `isOver` says whether their effects are all there; `due` is what the journal must have in the
 * end, all that went before included.
 */
export async function carry(
  stage: Stage,
  carrier: Carrier,
  hooks: Hook[],
  { isOver, due }: { isOver: () => boolean | Promise<boolean>; due: Due },
): Promise<Figures> {
  await carrier.queue.pause()
  await carrier.accept(hooks)
  const pids = [carrier.pids, [await redisPid(stage)], [await databasePid(stage)]]
  const before = await Promise.all(pids.map((each) => cpuOf(...each)))
  const started = performance.now()
  await carrier.queue.resume()
  await until(isOver, 'all is carried out', 300_000)
  const seconds = (performance.now() - started) / 1000
  await carrier.recorded(due)
  const after = await Promise.all(pids.map((each) => cpuOf(...each)))
  const [workerCpu = 0, redisCpu = 0, databaseCpu = 0] = after.map((cpu, index) => (cpu - (before[index] ?? 0)) / hooks.length)
  return { rate: hooks.length / seconds, workerCpu, redisCpu, databaseCpu }
}

/** The messages that are in the stream, in their order. */
export async function messagesOf({ redis }: Stage, { feed }: Carrier): Promise<string[]> {
  const found: string[] = []
  for (let from = '-'; ; ) {
    const page = await redis.xrange(feed, from, '+', 'COUNT', 500)
    found.push(...page.map(([, [, message = '']]) => message))
    const last = page.at(-1)
    if (!last) return found
    from = `(${last[0]}`
  }
}

async function redisPid({ redis }: Stage): Promise<number> {
  return Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1])
}

async function databasePid({ database }: Stage): Promise<number> {
  const { rows } = await sql<{ file: string }>`select @@pid_file as file`.execute(database)
  return Number(await readFile(rows[0]?.file ?? '', 'utf8'))
}
