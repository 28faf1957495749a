// The filters of deliveries, the same wherever an operator may choose some: `--kind push --since 2h --project 'repos/*'`.
import type { Command } from 'commander'
import { z } from 'zod'
import type { Database } from '#shared/journal/database.ts'

const units: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** A moment: ISO 8601, or how long ago: `90s`, `10m`, `2h`, `3d`, `1w`. */
const moment = z.string().transform((text, context) => {
  const [, count, unit = ''] = /^(\d{1,6})([smhdw])$/.exec(text) ?? []
  const at = count === undefined ? new Date(text) : new Date(Date.now() - Number(count) * (units[unit] ?? 0))
  if (!Number.isNaN(at.getTime()) && (count !== undefined || /^\d{4}-\d\d-\d\d/.test(text))) return at
  context.addIssue({ code: 'custom', message: 'expected ISO 8601 (2026-11-23T10:00Z) or how long ago (90s, 10m, 2h, 3d, 1w)' })
  return z.NEVER
})

const mergeRequest = z
  .string()
  .regex(/^[^!]+!\d{1,9}$/, 'expected <project path>!<number>, such as repos/releng/tool!12')
  .transform((text) => ({ project: text.split('!')[0] ?? '', iid: Number(text.split('!')[1]) }))

export const filterSchema = z.object({
  kind: z.string().optional(),
  project: z.string().optional(),
  mr: mergeRequest.optional(),
  since: moment.optional(),
  until: moment.optional(),
  limit: z
    .string()
    .regex(/^\d{1,7}$/, 'expected a whole number')
    .transform(Number)
    .optional(),
})
export type Filters = z.output<typeof filterSchema>

/** Adds the filters to a command. */
export function withFilters(command: Command): Command {
  return command
    .option('--kind <kind>', 'the event kind, such as merge_request')
    .option('--project <path>', 'the path of a project; * stands for anything')
    .option('--mr <project!iid>', 'a merge request')
    .option('--since <time>', 'received then or later: ISO 8601, or 90s, 10m, 2h, 3d, 1w ago')
    .option('--until <time>', 'received before')
    .option('--limit <count>', 'at most so many')
}

/** The ids of the deliveries that match, in the order in which they came. */
export async function matching(database: Database, { kind, project, mr, since, until, limit }: Filters): Promise<string[]> {
  let query = database.selectFrom('deliveries').select('id').orderBy('received_at').orderBy('id')
  if (kind !== undefined) query = query.where('kind', '=', kind)
  if (project !== undefined) query = query.where('project', 'like', likeOf(project))
  if (mr !== undefined) query = query.where('project', '=', mr.project).where('iid', '=', mr.iid)
  if (since !== undefined) query = query.where('received_at', '>=', since)
  if (until !== undefined) query = query.where('received_at', '<', until)
  if (limit !== undefined) query = query.limit(limit)
  return (await query.execute()).map(({ id }) => id)
}

function likeOf(pattern: string): string {
  return pattern.replaceAll(/[\\%_]/g, String.raw`\$&`).replaceAll('*', '%')
}
