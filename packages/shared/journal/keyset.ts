// Long lists, read a page at a time: each page begins behind the last row of the one before, so that the last page costs no
// more than the first, and rows that come or go meanwhile move no other off its page ("keyset paging").
import { type RawBuilder, type SqlBool, sql } from 'kysely'

/** One or two columns, in the order of the list, with the values of a row. */
export type Key = Record<string, string | number | Date>

/** The condition that a row comes behind that of `key` in an ascending list (`'<'`: in a descending one); any row does without a key. */
export function behind(key: Key | undefined, than: '>' | '<' = '>'): RawBuilder<SqlBool> {
  const [first, second] = Object.entries(key ?? {}).map(([column, value]) => ({ column: sql.ref(column), value }))
  const beyond = sql.raw(than)
  if (!first) return sql<SqlBool>`true`
  if (!second) return sql<SqlBool>`${first.column} ${beyond} ${first.value}`
  const [one, other] = [first, second]
  // The first condition is the range that the index reads; a comparison of rows, `(a, b) > (x, y)`, would not be one.
  return sql<SqlBool>`(${one.column} ${beyond}= ${one.value}
    and (${one.column} ${beyond} ${one.value} or ${other.column} ${beyond} ${other.value}))`
}

/**
 * All pages of a list, of `size` rows, but for the last, and of `most` rows together. `read` is given the last row of the
 * page before, undefined for the first page, and how many rows are wanted. Rejects with what `read` rejects with.
 */
export async function* pagesOf<Row>(
  size: number,
  read: (last: Row | undefined, count: number) => Promise<Row[]>,
  most = Number.POSITIVE_INFINITY,
): AsyncGenerator<Row[]> {
  let last: Row | undefined
  for (let left = most; left > 0; ) {
    const count = Math.min(size, left)
    const page = await read(last, count)
    if (page.length > 0) yield page
    if (page.length < count) return
    left -= page.length
    last = page.at(-1)
  }
}
