// Fills a journal with any number of deliveries in a few minutes: the database makes the rows itself, in the order of
// their keys, and its indexes afterwards. The times are spread over ninety days and have nothing to do with the ids.
import { sql } from 'kysely'
import type { Database } from '#shared/journal/database.ts'
import { runSql } from '../support/servers.ts'

const days = 90
const now = new Date().toISOString().slice(0, 23).replace('T', ' ')

type Progress = (what: string) => void

/** Makes `rows` deliveries, at `url`, with about one and a half effects each; their tables must be empty. */
export async function makeRows(url: string, database: Database, rows: number, progress: Progress): Promise<void> {
  const indexes = await dropIndexes(url, database, ['deliveries', 'effects'])
  const chunk = Math.min(rows, 250_000)
  for (let first = 1; first <= rows; first += chunk) {
    for (const [table, statement] of Object.entries(statements(rows, first, Math.min(rows, first + chunk - 1))))
      await runSql(url, `insert into ${table} ${statement}`)
    progress(`${Math.min(rows, first + chunk - 1)} deliveries`)
  }
  for (const [table, keys] of indexes) {
    await runSql(url, `alter table ${table} ${keys.map((key) => `add ${key}`).join(', ')}`)
    progress(`the indexes of ${table}`)
  }
  for (const word of [1, 2, 3, 4, 5, 6]
    .map((at) => `substring_index(substring_index(lower(title), ' ', ${at}), ' ', -1)`)
    .concat('username')) {
    await runSql(
      url,
      `insert ignore into words select ${word} as word, received_at, id from deliveries where title is not null or '${word}' = 'username' order by 1, 2, 3`,
    )
    progress('words')
  }
  for (const table of ['deliveries', 'effects', 'words']) await runSql(url, `analyze table ${table}`)
}

async function dropIndexes(url: string, database: Database, tables: string[]): Promise<Map<string, string[]>> {
  const indexes = new Map<string, string[]>()
  for (const table of tables) {
    const { rows } = await sql<{ 'Create Table': string }>`show create table ${sql.table(table)}`.execute(database)
    const keys = rows[0]?.['Create Table'].match(/^ *KEY .*\)(?=,?$)/gm) ?? []
    indexes.set(table, keys)
    for (const key of keys) await runSql(url, `alter table ${table} drop key ${/`\w+`/.exec(key)?.[0]}`)
  }
  return indexes
}

/** What is inserted into each table for the deliveries number `first` to `last` of `rows`. */
function statements(rows: number, first: number, last: number): Record<string, string> {
  const base = `(select seq as n, ${idOf(rows)} as id, ${timeOf(rows)} as at, ${chance('p')} as p, ${chance('k')} as k, ${chance('s')} as s, ${chance('t')} as t
    from seq_${first}_to_${last}) as numbers`
  const kind = `case when k < 0.45 then 'push' when k < 0.75 then 'merge_request' when k < 0.8 then 'tag_push' when k < 0.9 then 'repository_update'
    when k < 0.95 then 'note' when k < 0.97 then 'issue' when k < 0.9999 then 'pipeline' else 'user_create' end`
  const merge = `k >= 0.45 and k < 0.75`
  const project = `concat(elt(1 + floor(pow(p, 3) * 3000) % 4, 'repos/releng/', 'repos/mediawiki/extensions/', 'repos/cloud/toolforge/', 'people/'), 'project-', floor(pow(p, 3) * 3000))`
  const title = `concat(elt(1 + floor(p * 1000) % 8, 'Fix ', 'Add ', 'Remove ', 'Update ', 'Revert ', 'Improve ', 'Test ', 'Document '),
    'area', floor(pow(t, 2) * 500), ' noun', floor(pow(s, 3) * 3000), ' for component', floor(t * 300), ' T', 1 + floor(pow(s, 2) * 400000))`
  const task = `1 + floor(pow(s, 2) * 400000)`
  const state = `case when t < 0.005 then 'dead' when t < 0.02 then 'discarded' when t < 0.1 then 'nothing' else 'done' end`
  const effect = (sink: string, about: string, which: string, columns = `'done' as state, null as task, null as reason, null as error`) =>
    `select concat(id, '/${sink}/', ${about}) as effect, id, '${sink}' as sink, 'order' as order_key, 1 as attempts, at as since, at as received_at,
      ${kind} as kind, ${project} as project, at + interval 2 second as ended_at, ${columns} from ${base} where ${which}`
  const ended = (about: string) => `${state} as state, ${about} as task,
    case when t < 0.02 then concat('Phabricator answers ERR-', floor(t * 2000), ': no such thing') end as reason,
    case when t < 0.02 then left(md5(floor(t * 2000)), 12) end as error`
  return {
    deliveries: `select id, at, ${kind}, if(${merge}, elt(1 + floor(t * 4), 'open', 'update', 'merge', 'close'), null), ${project},
      if(${merge}, 1 + floor(s * 2000), null), concat('user', floor(pow(t, 2) * 4000)), if(${merge}, ${title}, null), 'hook' from ${base}`,
    bodies: `select id, '{}', repeat(md5(n), 8) from ${base}`,
    decisions: `select id, sink, if(sink = 'sse', null, 'not about a merge request') from ${base}
      join (select 'phabricator' as sink union all select 'sse') as sinks`,
    'effects (id, delivery, sink, order_key, attempts, since, received_at, kind, project, ended_at, state, task, reason, error)': [
      effect('sse', `'message'`, 's < 0.85'),
      effect('commits', `'commits'`, `${merge} and s < 0.7`),
      effect('phabricator', `concat('T', ${task})`, `${merge} and s < 0.7`, ended(task)),
      effect('gitlab-mentions', `'note'`, `${merge} and s >= 0.3`, ended('null')),
    ].join(' union all '),
    attempts: `select concat(id, '/phabricator/T', ${task}), at + interval 1 second, 1, 120, 'no such thing' from ${base} where ${merge} and s < 0.7 and t < 0.02`,
  }
}

// Like a UUID, and growing with the number, so that rows are made in the order of their keys.
function idOf(rows: number): string {
  return `lower(concat(lpad(hex(seq * ${Math.floor(2 ** 32 / (rows + 1))}), 8, '0'), '-', left(md5(seq), 4), '-4', mid(md5(seq), 6, 3), '-8', mid(md5(seq), 10, 3), '-', right(md5(seq), 12)))`
}

// 6700417 is a prime: each moment is taken once, in an order of its own.
function timeOf(rows: number): string {
  return `date_sub(timestamp'${now}', interval floor((seq * 6700417 % ${rows}) * ${(days * 86_400_000) / rows}) * 1000 microsecond)`
}

/** A number from 0 to 1 that looks like chance. */
function chance(name: string): string {
  return `crc32(md5(concat('${name}', seq))) / 4294967296`
}
