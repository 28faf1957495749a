// The pages of the sandbox's wiki, by title. Each save makes a new revision, and revision ids only grow.

export type Page = { title: string; pageid: number; revid: number; parentid: number; timestamp: string; text: string; tree?: string }
export type Pages = Map<string, Page>

/** Blanks and underscores are equal, and the first letter (also after `Template:`) is upper case. */
export function normalTitle(title: string): string {
  const [name = '', ...rest] = title.replaceAll('_', ' ').trim().split(':')
  return [name, ...rest].map((piece) => piece.charAt(0).toUpperCase() + piece.slice(1)).join(':')
}

export function findPage(pages: Pages, asked: string, follow: boolean) {
  const page = pages.get(normalTitle(asked))
  const target = follow ? /^#REDIRECT\s*\[\[([^\]|#]+)/i.exec(page?.text ?? '')?.[1] : undefined
  if (!page || target === undefined) return { page, redirects: [] }
  return { page: pages.get(normalTitle(target)), redirects: [{ from: page.title, to: normalTitle(target) }] }
}

export function savePage(pages: Pages, asked: string, text: string, tree?: string): number {
  const title = normalTitle(asked)
  const before = pages.get(title)
  if (before && before.text === text && before.tree === tree) return before.revid
  const revid = 1 + Math.max(0, ...[...pages.values()].map((page) => page.revid), removed.get(pages) ?? 0)
  const pageid = before?.pageid ?? revid
  const timestamp = `${new Date().toISOString().slice(0, 19)}Z`
  pages.set(title, { title, pageid, revid, parentid: before?.revid ?? 0, timestamp, text, ...(tree !== undefined && { tree }) })
  return revid
}

export function saveTree(pages: Pages, title: string, tree: string): number {
  return savePage(pages, title, '(set as a tree)', tree)
}

export function removePage(pages: Pages, title: string): void {
  const page = pages.get(normalTitle(title))
  if (page) removed.set(pages, Math.max(page.revid, removed.get(pages) ?? 0))
  pages.delete(normalTitle(title))
}

// The last revision that went with its page: a page made again must not get an id that was in use.
const removed = new WeakMap<Pages, number>()
