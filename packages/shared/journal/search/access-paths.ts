// The indexes by which deliveries can be found, one for each filter that some index knows: the access paths. Each gives all
// that its filter chooses, newest first, and does not know of the other filters.
import { sql } from 'kysely'
import type { Database } from '#shared/journal/database.ts'
import { wordsOf } from '#shared/journal/words.ts'
import type { Filters } from './filters.ts'
import { type Bounds, type Branch, type Candidate, inTime, scanNewest } from './index-scan.ts'
import { beginningWith, like } from './like.ts'

/** A page of candidates, newest first; fewer than `count` when there are no more. */
export type AccessPath = (bounds: Bounds) => Promise<Candidate[]>

const mostIds = 20_000
const mostProjects = 500
const shortestWord = 3

/** The access paths that lead to what `filters` choose; none when only the order of time does. */
export async function accessPathsTo(database: Database, filters: Filters): Promise<AccessPath[]> {
  const { id, mr, task, error, sink, state, text, project, kind } = filters
  const through =
    (...branches: Branch[]): AccessPath =>
    (bounds) =>
      scanNewest(database, branches, bounds)
  const paths: Array<AccessPath | undefined> = []
  if (id !== undefined) paths.push(await byId(database, id))
  if (mr) paths.push(through(branch('deliveries', 'merge_request', { project: mr.project, iid: mr.iid })))
  if (task !== undefined) paths.push(through(branch('effects', 'task', { task })))
  if (error !== undefined)
    paths.push(through(...[state ?? ['dead', 'discarded']].flat().map((state) => branch('effects', 'error', { state, error }))))
  if (sink !== undefined || state !== undefined) paths.push(through(...(await bySink(database, filters))))
  if (text !== undefined) for (const word of wordsOf(text)) paths.push(await byWord(database, word))
  if (project !== undefined) paths.push(await byProject(database, filters, project))
  if (kind !== undefined) paths.push(through(branch('deliveries', 'kind', { kind })))
  return paths.filter((path) => path !== undefined)
}

/** All deliveries. */
export function everything(database: Database): AccessPath {
  return (bounds) => scanNewest(database, [branch('deliveries', 'received', {})], bounds)
}

function branch(table: string, index: string, prefix: Branch['prefix']): Branch {
  return { table, index, id: table === 'deliveries' ? 'id' : 'delivery', prefix }
}

// This index is not in the order of time, so it is used only where the deliveries are few enough to be sorted here.
async function byId(database: Database, id: string): Promise<AccessPath | undefined> {
  const rows = await database
    .selectFrom('deliveries')
    .select(['id as delivery', 'received_at'])
    .where('id', 'like', beginningWith(id))
    .limit(mostIds + 1)
    .execute()
  if (rows.length > mostIds) return undefined
  rows.sort((a, b) => Number(b.received_at) - Number(a.received_at))
  return ({ from, count }) => Promise.resolve(rows.filter((row) => from === undefined || row.received_at <= from).slice(0, count))
}

async function bySink(database: Database, { sink, state, kind }: Filters): Promise<Branch[]> {
  const all = await database.selectFrom('effects').select(['sink', 'state', 'kind']).distinct().execute()
  const chosen = all.filter(
    (one) => (sink ?? one.sink) === one.sink && (state ?? one.state) === one.state && (kind ?? one.kind) === one.kind,
  )
  return chosen.map((prefix) => branch('effects', 'sink', prefix))
}

async function byProject(database: Database, { kind }: Filters, pattern: string): Promise<AccessPath | undefined> {
  const projects = pattern.includes('*') ? await projectsLike(database, pattern) : [pattern]
  if (projects.length > mostProjects) return undefined
  return async (bounds) => scanNewest(database, await newestProjects(database, projects, kind, bounds), bounds)
}

async function byWord(database: Database, word: string): Promise<AccessPath | undefined> {
  if (word.length < shortestWord) return undefined
  const near = (await projectsLike(database, '*')).filter((path) => path.toLowerCase().includes(word))
  const projects = near.filter((path) => wordsOf(path).some((one) => one.startsWith(word)))
  if (projects.length > mostProjects) return undefined
  return async (bounds) => {
    const branches = [await newestWords(database, word, bounds), await newestProjects(database, projects, undefined, bounds)]
    return await scanNewest(database, branches.flat(), bounds)
  }
}

async function projectsLike(database: Database, pattern: string): Promise<string[]> {
  const { rows } = await sql<{ project: string }>`
    select project from (select distinct project from deliveries force index (project)) as projects
    where project like ${like(pattern)}`.execute(database)
  return rows.map(({ project }) => project)
}

// The newest fifty deliveries belong to at most fifty of the words or projects that match: to those whose own newest delivery
// is newest.
async function newestWords(database: Database, word: string, bounds: Bounds): Promise<Branch[]> {
  const { rows } = await sql<{ word: string }>`
    select word, max(received_at) as newest from words where word like ${like(`${word}*`)} and ${inTime(bounds)}
    group by word order by newest desc limit ${sql.lit(bounds.count)}`.execute(database)
  return rows.map((found) => ({ table: 'words', index: 'primary', id: 'delivery', prefix: { word: found.word } }))
}

async function newestProjects(database: Database, projects: string[], kind: string | undefined, bounds: Bounds): Promise<Branch[]> {
  if (projects.length === 0) return []
  const { rows } = await sql<{ project: string; kind: string }>`
    select project, kind, max(received_at) as newest from deliveries force index (project)
    where project in (${sql.join(projects)}) and ${inTime(bounds)} group by project, kind order by newest desc`.execute(database)
  const chosen = rows.filter((row) => (kind ?? row.kind) === row.kind).slice(0, bounds.count)
  return chosen.map((row) => branch('deliveries', 'project', { project: row.project, kind: row.kind }))
}
