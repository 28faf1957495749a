// The documents as the tests read them: shell blocks with where they stand, headings, links, and names of commands.
import { readdirSync, readFileSync } from 'node:fs'

export const root = new URL('../../', import.meta.url).pathname

/** `elsewhere`: it needs a place that a test does not have, and is only read for its form. */
export type Block = { document: string; line: number; heading: string; elsewhere: boolean; text: string }

export function readDocument(document: string): string {
  return readFileSync(root + document, 'utf8')
}

export function documents(): string[] {
  const inDocs = readdirSync(`${root}docs`).filter((name) => name.endsWith('.md'))
  return ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'DECISIONS.md', ...inDocs.map((name) => `docs/${name}`)]
}

/** The shell blocks of `document`, in order. Throws where a block is of neither form. */
export function blocksOf(document: string): Block[] {
  const blocks: Block[] = []
  let heading = ''
  let block: Block | undefined
  for (const [index, line] of readDocument(document).split('\n').entries()) {
    const [, info] = /^```(.*)$/.exec(line) ?? []
    if (block && info === '') block = undefined
    else if (block) block.text += `${line}\n`
    else if (info !== undefined) {
      if (!['', 'sh', 'sh elsewhere'].includes(info) && info.startsWith('sh')) throw new SyntaxError(`${document}:${index + 1}: ${info}`)
      block = { document, line: index + 2, heading, elsewhere: info === 'sh elsewhere', text: '' }
      if (info.startsWith('sh')) blocks.push(block)
    } else heading = /^#+ (.+)$/.exec(line)?.[1] ?? heading
  }
  return blocks
}

/** The anchors of a document's headings, as the usual viewers of Markdown make them. */
export function anchorsOf(document: string): string[] {
  const headings = [...readDocument(document).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => title)
  return headings.map((title) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  )
}

/** The targets of links within the project: `docs/run.md#upgrade`. */
export function linksOf(document: string): string[] {
  const folder = document.includes('/') ? `${document.split('/')[0]}/` : ''
  const targets = [...readDocument(document).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  return targets.flatMap((target) => {
    if (/^[a-z]+:/.test(target)) return []
    if (target.startsWith('#')) return [document + target]
    return [target.startsWith('../') ? target.slice(3) : folder + target]
  })
}

/** What follows `bin/ops` wherever it stands, in blocks or in a line. */
export function verbsIn(text: string): string[] {
  return [...text.matchAll(/\bbin\/ops\s+([a-z]+)/g)].map(([, verb = '']) => verb)
}
