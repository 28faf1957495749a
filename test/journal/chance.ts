// A journal of chance, in which much is of the same instant, and some filters for it.
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { effectId } from '#shared/event/effect.ts'
import type { DeliveryEntry, EndedEntry } from '#shared/journal/entry.ts'
import type { Filters } from '#shared/journal/search/filters.ts'
import { errorId } from '#shared/process/errors.ts'

const kinds = ['push', 'merge_request', 'note', 'unknown']
const projects = ['repos/releng/tool', 'repos/releng/tool-2', 'repos/mediawiki/Été', 'people/50%_off']
const titles = ['Fix the feed', 'fix: T123 again', 'Élan vital', 'Add_a_test (again)', 'Ma\\chine']
const usernames = ['alice', 'bob-feed', 'T123']
const states = ['done', 'nothing', 'dead'] as const
const reasons = ['no such task', 'the token is refused']
const start = Date.parse('2026-11-01T00:00:00Z')

/** What was told of one delivery. */
export type Row = { entry: DeliveryEntry; ended: EndedEntry[] }

// Many of the same instant, so that pages end among them.
export const rows = fc.sample(row(), { numRuns: 600, seed: 1 })

// More of a kind than one page asks for.
function many(name: string): fc.Arbitrary<string> {
  return fc.nat(400).map((number) => `${name}${number}`)
}

function row(): fc.Arbitrary<Row> {
  const id = fc.stringMatching(/^[0-9a-f]{8}$/)
  return fc
    .record({
      id,
      at: fc.nat(60),
      kind: fc.constantFrom(...kinds),
      project: fc.option(fc.oneof(fc.constantFrom(...projects), many('bulk/project-')), { nil: undefined }),
      iid: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      username: fc.option(fc.constantFrom(...usernames), { nil: undefined }),
      title: fc.option(fc.oneof(fc.constantFrom(...titles), many('Fixing')), { nil: undefined }),
      effects: fc.uniqueArray(
        fc.record({
          sink: fc.constantFrom('phabricator' as const, 'sse' as const),
          task: fc.integer({ min: 1, max: 4 }),
          state: fc.option(fc.constantFrom(...states), { nil: undefined }),
          reason: fc.constantFrom(...reasons),
          at: fc.nat(60),
        }),
        { maxLength: 4, selector: ({ sink, task }) => `${sink} ${task}` },
      ),
    })
    .map(({ id, at, effects, ...understood }) => {
      const receivedAt = new Date(start + at * 60_000).toISOString()
      const planned = effects.map(({ sink, task }) => ({
        id: effectId(id, sink, `T${task}`),
        delivery: id,
        sink,
        order: '',
        since: receivedAt,
      }))
      const ended = effects.flatMap(({ state, reason, at }, index): EndedEntry[] => {
        const effect = planned[index]
        if (!state || !effect) return []
        return [{ type: 'ended', effect, state, reason, attempts: 1, endedAt: new Date(start + at * 3_600_000).toISOString() }]
      })
      const body = gzipSync('{}').toString('base64')
      const known = Object.fromEntries(Object.entries(understood).filter(([, value]) => value !== undefined))
      const about = { kind: understood.kind, ...known }
      return { entry: { type: 'delivery', id, receivedAt, headers: {}, body, decisions: [], effects: planned, ...about }, ended }
    })
}

const every = fc.record({
  sink: fc.constantFrom('phabricator', 'sse', 'commits'),
  kind: fc.constantFrom(...kinds, 'issue'),
  project: fc.constantFrom(...projects, 'repos/*', '*tool*', 'people/*', 'bulk/*', '*Été', 'nobody/*', '*'),
  mr: fc.record({ project: fc.constantFrom(...projects), iid: fc.integer({ min: 1, max: 4 }) }),
  task: fc.integer({ min: 1, max: 5 }),
  state: fc.constantFrom('planned', ...states),
  error: fc.constantFrom(...reasons.map(errorId)),
  since: fc.nat(60).map((at) => new Date(start + at * 60_000)),
  until: fc.nat(60).map((at) => new Date(start + at * 60_000)),
  id: fc.constantFrom('a', 'b1', ...rows.slice(0, 3).map(({ entry }) => entry.id)),
  text: fc.constantFrom('fix', 'FEED', 'élan', 't12', 'again fix', 'releng', 'a', 'chine', 'add_a', 'été', 'zzz'),
  limit: fc.integer({ min: 1, max: 200 }),
})
// A few at a time: what all of them choose together is nothing.
export const filters: fc.Arbitrary<Filters> = fc
  .tuple(
    every,
    fc.subarray(['sink', 'kind', 'project', 'mr', 'task', 'state', 'error', 'since', 'until', 'id', 'text', 'limit'] as const, {
      maxLength: 3,
    }),
  )
  .map(([every, names]) => Object.fromEntries(names.map((name) => [name, every[name]])))
