// What is asked of the journal: every filter alone, in every list that has it, and those that are used together.
import { Redis } from 'ioredis'
import type { Database } from '#shared/journal/database.ts'
import type { Filters } from '#shared/journal/search/filters.ts'
import { groupDead, listDead } from '../../apps/ops/actions/dead.ts'
import { listDeliveries } from '../../apps/ops/actions/deliveries.ts'
import { explain } from '../../apps/ops/actions/explain.ts'
import { filterSchema } from '../../apps/ops/filters.ts'

export type Question = { name: string; ask: () => Promise<number> }

/** The questions, about things that are in the journal. */
export async function questions(database: Database): Promise<Question[]> {
  const [letter] = await listDead(database, { sink: 'phabricator' })
  const [delivery] = await listDeliveries(database, letter ? { id: letter.delivery } : {})
  const id = delivery?.id ?? ''
  const project = delivery?.project ?? ''
  const [mr, task, error] = [delivery?.mr ?? '', letter?.task ?? 'T1', letter?.error ?? '']
  const big = 'repos/releng/project-0'

  // Whether a queue is on hold is not asked here.
  const parts = { database, redis: new Redis({ lazyConnect: true }), prefix: 'none', queues: {} }

  const alone = [
    '',
    '--sink sse',
    '--sink phabricator',
    '--sink gitlab-mentions',
    '--sink router',
    '--kind push',
    '--kind user_create',
    '--kind nonsense',
    `--project ${project}`,
    `--project ${big}`,
    '--project repos/*',
    '--project *-77',
    '--project *project-2*',
    '--project nobody/*',
    `--mr ${mr}`,
    `--task ${task}`,
    '--task T399999',
    '--state planned',
    '--state done',
    '--state nothing',
    '--state dead',
    '--state discarded',
    `--error ${error}`,
    '--since 2h',
    '--until 60d',
    '--since 40d --until 39d',
    `--id ${id}`,
    `--id ${id.slice(0, 6)}`,
    '--id a',
    '--text fix',
    '--text area7',
    '--text noun2999',
    '--text T123',
    '--text user3999',
    '--text releng',
    '--text pro',
    '--text a',
    '--text zzz',
    '--limit 1000',
  ]
  const together = [
    '--sink phabricator --kind push',
    '--sink phabricator --state nothing',
    '--sink gitlab-mentions --state dead',
    `--project ${big} --kind issue`,
    `--project ${big} --state dead`,
    `--project ${project} --sink phabricator`,
    '--project people/* --kind issue',
    '--project *-77 --sink sse',
    `--project ${big} --text fix --since 3d`,
    '--kind push --since 3d --until 2d',
    '--kind tag_push --text user7',
    '--text fix,area3',
    '--text noun1 --state dead',
    '--sink gitlab-mentions --text area7 --since 30d',
    `--sink phabricator --error ${error} --since 30d`,
  ]
  const dead = [
    '',
    '--sink phabricator',
    '--sink sse',
    '--kind merge_request',
    '--kind push',
    `--project ${project}`,
    `--project ${big}`,
    '--project *-77',
    `--mr ${mr}`,
    `--task ${task}`,
    `--error ${error}`,
    '--since 2h',
    '--until 60d',
    `--id ${id}`,
    '--text fix',
    '--text noun2999',
    `--sink phabricator --error ${error} --since 30d`,
    '--limit 1000',
  ]
  return [
    ...[...alone, ...together].map((typed) => question('deliveries', typed, (filters) => listDeliveries(database, filters))),
    ...dead.map((typed) => question('dead', typed, (filters) => listDead(database, filters))),
    ...dead.map((typed) => question('dead groups', typed, (filters) => groupDead(database, filters))),
    { name: 'explain', ask: async () => (await explain(parts, id))?.effects.length ?? 0 },
  ]
}

function question(command: string, typed: string, run: (filters: Filters) => Promise<unknown[]>): Question {
  const words = typed === '' ? [] : typed.split(/ ?--| /).slice(1)
  const pairs = words.flatMap((word, index) => (index % 2 === 0 ? [[word, words[index + 1]]] : []))
  const filters = filterSchema.parse(Object.fromEntries(pairs))
  return { name: `${command} ${typed}`.trim(), ask: async () => (await run(filters)).length }
}
