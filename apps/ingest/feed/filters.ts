// The filters of all readers. Whoever wishes the same shares one, and how much all of them take is bounded: anybody may ask.
import { type Filter, filterOf, type Wish } from './filter.ts'

export type FilterPool = {
  /** The filter of a wish; undefined when there is no room for it. Whoever takes one gives it back. */
  take: (wish: Wish | undefined) => Filter | undefined
  giveBack: (filter: Filter) => void
  /** How many characters all of them have. */
  characters: () => number
}

// A character takes four to eight bytes, and a filter some hundred more.
const mostCharacters = 2 * 1024 * 1024

const everything: Filter = { key: '', matches: undefined, cost: 0 }

type Kept = { filter: Filter; text: string; readers: number }

export function openFilters(most = mostCharacters): FilterPool {
  const byText = new Map<string, Kept>()
  const byKey = new Map<string, Kept>()
  let characters = 0
  let count = 0

  function keep(wish: Wish, text: string): Kept | undefined {
    if (characters + text.length > most) return undefined
    const kept = { filter: filterOf(wish, `#${++count}`), text, readers: 0 }
    byText.set(text, kept)
    byKey.set(kept.filter.key, kept)
    characters += text.length
    return kept
  }

  return {
    take(wish) {
      if (wish === undefined) return everything
      const text = JSON.stringify(wish)
      const kept = byText.get(text) ?? keep(wish, text)
      if (kept) kept.readers += 1
      return kept?.filter
    },
    giveBack({ key }) {
      const kept = byKey.get(key)
      if (!kept) return
      kept.readers -= 1
      if (kept.readers > 0) return
      byText.delete(kept.text)
      byKey.delete(key)
      characters -= kept.text.length
    },
    characters: () => characters,
  }
}
