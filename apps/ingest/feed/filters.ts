// The filters of all readers. Whoever wishes the same shares one, and how much all of them take is bounded: anybody may ask.
import { type Filter, filterOf, type Wish } from './filter.ts'

export type FilterPool = {
  /** The filter of a wish, and what gives it back; undefined when there is no room for it. */
  take: (wish: Wish | undefined) => { filter: Filter; leave: () => void } | undefined
  /** How many characters all of them have. */
  characters: () => number
}

// A character takes four to eight bytes, and a filter some hundred more.
const mostCharacters = 2 * 1024 * 1024

const everything: Filter = { key: '', matches: undefined, cost: 0 }

export function openFilters(most = mostCharacters): FilterPool {
  const known = new Map<string, { filter: Filter; readers: number }>()
  let taken = 0
  let count = 0
  return {
    take(wish) {
      if (wish === undefined) return { filter: everything, leave: () => undefined }
      const text = JSON.stringify(wish)
      const shared = known.get(text)
      if (!shared && taken + text.length > most) return undefined
      const kept = shared ?? { filter: filterOf(wish, `#${++count}`), readers: 0 }
      if (!shared) {
        known.set(text, kept)
        taken += text.length
      }
      kept.readers += 1
      return { filter: kept.filter, leave: () => leave(text, kept) }
    },
    characters: () => taken,
  }

  function leave(text: string, kept: { readers: number }): void {
    kept.readers -= 1
    if (kept.readers > 0) return
    known.delete(text)
    taken -= text.length
  }
}
