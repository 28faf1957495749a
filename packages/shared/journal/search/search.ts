// Goes through the deliveries that may match some filters, newest first, by the index in which the fewest match. So a list of
// ten million deliveries takes no longer than one of a thousand.
import type { Database } from '#shared/journal/database.ts'
import { type AccessPath, accessPathsTo, everything } from './access-paths.ts'
import type { Filters } from './filters.ts'
import type { Bounds, Candidate } from './index-scan.ts'

const usual = 50
const longestPage = 2000
const fewAtMost = 500

/**
 * Pages of ids, newest first, each delivery once, from `from` on. They are candidates: the other filters are still to be
 * checked. Deliveries of one instant are never split over two pages, so a full page leaves its last instant to the next one.
 */
export async function* newestCandidates(database: Database, filters: Filters, from: Date | undefined): AsyncGenerator<string[]> {
  const { since, until, limit = usual } = filters
  const bounds: Bounds = { since, until, from, count: Math.min(longestPage, limit + 20) }
  let { path, page } = await bestPath(await accessPathsTo(database, filters), everything(database), bounds)
  for (;;) {
    const last = page.length < bounds.count ? undefined : page.at(-1)
    const whole = page.filter(({ received_at }) => last === undefined || received_at > last.received_at)
    if (whole.length > 0) yield [...new Set(whole.map(({ delivery }) => delivery))]
    if (!last) return
    bounds.from = last.received_at
    bounds.count = whole.length === 0 ? bounds.count * 4 : Math.max(bounds.count, Math.min(longestPage, bounds.count * 4))
    page = await path(bounds)
  }
}

/** All that may match, by id, if there are fewer than 500 of them; else undefined. */
export async function fewCandidates(database: Database, filters: Filters): Promise<string[] | undefined> {
  const { since, until, mr, text } = filters
  const paths = await accessPathsTo(database, { ...(mr && { mr }), ...(text && { text }) })
  for (const path of paths) {
    const page = await path({ since, until, from: undefined, count: fewAtMost })
    if (page.length < fewAtMost) return [...new Set(page.map(({ delivery }) => delivery))]
  }
  return undefined
}

// An index that cannot fill a page has given everything that matches, so it is the best. Of the others the one whose page
// reaches furthest back has the fewest.
async function bestPath(paths: AccessPath[], usual: AccessPath, bounds: Bounds): Promise<{ path: AccessPath; page: Candidate[] }> {
  const tried: Array<{ path: AccessPath; page: Candidate[]; reach: number }> = []
  for (const path of paths.length > 0 ? paths : [usual]) {
    const page = await path(bounds)
    const last = page.at(-1)
    if (!last || page.length < bounds.count) return { path, page }
    tried.push({ path, page, reach: Number(last.received_at) })
  }
  const [best] = tried.sort((a, b) => a.reach - b.reach)
  return best ?? { path: usual, page: [] }
}
