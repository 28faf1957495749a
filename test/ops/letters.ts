// Dead letters for the tests of replays: comments on tasks that do not exist, and the world in which they are made.
import assert from 'node:assert/strict'
import { z } from 'zod'
import { migrate } from '#shared/journal/database.ts'
import type { JsonObject } from '#shared/process/json.ts'
import { hook } from '../support/fixtures.ts'
import { isObject } from '../support/objects.ts'
import { ops } from '../support/ops.ts'
import type { Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

export type Letters = Stage & {
  ingest: Process
  worker: Process
  /** Delivers the fixture `name` about tasks, and waits until the comments on those that do not exist are dead letters. */
  die: (delivery: string, tasks: number[], name?: string) => Promise<void>
  dead: () => Promise<string[]>
  /** Runs `bin/ops` with `--json`, and reads what it says. */
  json: (...args: string[]) => Promise<{ code: number; err: string; data: unknown }>
}

export const replaySchema = z.looseObject({
  id: z.number(),
  state: z.string(),
  chosen: z.number(),
  replayed: z.number(),
  failedAgain: z.number(),
  continued: z.boolean(),
})

export async function openLetters(): Promise<Letters> {
  const stage = await openStage()
  await migrate(stage.database)
  const [ingest, worker] = await Promise.all([stage.start('ingest'), stage.start('worker')]).catch(async (error: unknown) => {
    await stage.close()
    throw error
  })
  const dead = async () => {
    const rows = await stage.database.selectFrom('effects').select('id').where('state', '=', 'dead').orderBy('id').execute()
    return rows.map(({ id }) => id)
  }
  return {
    ...stage,
    ingest,
    worker,
    dead,
    async die(delivery, tasks, name = 'merge-request-close') {
      const before = (await dead()).length
      const answer = await post(ingest, about(tasks, name, stage.sandbox.gitlab.url), { 'idempotency-key': delivery })
      assert.equal(answer.status, 202)
      await until(async () => (await dead()).length === before + tasks.length, `all of ${delivery} is dead`)
    },
    async json(...args) {
      const { code, out, err } = await ops(stage.environment, ...args, '--json')
      return { code, err, data: out === '' ? undefined : JSON.parse(out) }
    },
  }
}

let abouts = 0

/** A hook whose merge request names the tasks in its description; each tells of another event. */
export function about(tasks: number[], name: string, gitlabUrl: string): JsonObject {
  const body = hook(name, gitlabUrl)
  if (!isObject(body.object_attributes)) throw new Error(`${name} is not about a merge request.`)
  const description = tasks.map((task) => `Bug: T${task}`).join('\n')
  const updated_at = new Date(Date.UTC(2026, 7, 20) + abouts++).toISOString()
  return { ...body, object_attributes: { ...body.object_attributes, description, updated_at } }
}

export function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index)
}
