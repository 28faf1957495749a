// Goes through the deliveries that may match some filters, newest first, by the way that has the fewest of them: the list
// of ten million deliveries takes no longer than that of a thousand.
import type { Database } from '#shared/journal/database.ts'
import { everything, type Way, waysTo } from '#shared/journal/search.ts'
import type { Filters } from './filters.ts'
import type { Bounds, Candidate } from './index-read.ts'

const usual = 50
const longestPage = 2000
const fewAtMost = 500

/**
 * Pages of ids, newest first, each delivery once, from `from` on. What else is asked of a delivery remains to be looked at.
 * Of one instant all are on the same page: so a page that is full leaves its last instant to the next one.
 */
export async function* newestCandidates(database: Database, filters: Filters, from: Date | undefined): AsyncGenerator<string[]> {
  const { since, until, limit = usual } = filters
  const bounds: Bounds = { since, until, from, count: Math.min(longestPage, limit + 20) }
  let { way, page } = await bestWay(await waysTo(database, filters), everything(database), bounds)
  for (;;) {
    const last = page.length < bounds.count ? undefined : page.at(-1)
    const whole = page.filter(({ received_at }) => last === undefined || received_at > last.received_at)
    if (whole.length > 0) yield [...new Set(whole.map(({ delivery }) => delivery))]
    if (!last) return
    bounds.from = last.received_at
    bounds.count = whole.length === 0 ? bounds.count * 4 : Math.max(bounds.count, Math.min(longestPage, bounds.count * 4))
    page = await way(bounds)
  }
}

/** All that may match, by id, if there are fewer than 500 of them; else undefined. */
export async function fewCandidates(database: Database, filters: Filters): Promise<string[] | undefined> {
  const { since, until, mr, text } = filters
  const ways = await waysTo(database, { ...(mr && { mr }), ...(text && { text }) })
  for (const way of ways) {
    const page = await way({ since, until, from: undefined, count: fewAtMost })
    if (page.length < fewAtMost) return [...new Set(page.map(({ delivery }) => delivery))]
  }
  return undefined
}

// One that has no full page has all it has there; of the others, that whose page goes back furthest is the sparsest.
async function bestWay(ways: Way[], usual: Way, bounds: Bounds): Promise<{ way: Way; page: Candidate[] }> {
  const tried: Array<{ way: Way; page: Candidate[]; reach: number }> = []
  for (const way of ways.length > 0 ? ways : [usual]) {
    const page = await way(bounds)
    const last = page.at(-1)
    if (!last || page.length < bounds.count) return { way, page }
    tried.push({ way, page, reach: Number(last.received_at) })
  }
  const [best] = tried.sort((a, b) => a.reach - b.reach)
  return best ?? { way: usual, page: [] }
}
