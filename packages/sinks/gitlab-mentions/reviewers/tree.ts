// First step of reading the reviewers page: MediaWiki's parse tree (XML) is cut into the elements that lie directly
// under its root, one at a time. Strict, so that an HTML page or half an answer is never taken for a page without
// reviewers; without recursion, because anybody may nest templates as deep as the wiki allows; and with an end to what one
// element may hold.
import { SaxesParser } from 'saxes'

/**
 * One element of the tree with all that is in it; `index` is the attribute that numbers positional parameters, `line` the
 * line of the page on which it begins, from 1. `cut`: there was more in it than is kept.
 */
export type Element = { name: string; index: string | undefined; line: number; children: Array<Element | string>; cut?: boolean }

/** What was to be read is no parse tree: HTML, cut off, empty. The wiki is down or answers something else. */
export class NotAPage extends Error {
  override name = 'NotAPage'
}

const mostInOne = 10_000
const mostLevels = 100_000
const sliceLength = 64 * 1024

/**
 * Calls `visit` with each element directly under `<root>`, in page order; yields after each slice of the tree. False when
 * something was nested so deep that nothing was read from there on. Throws `NotAPage`.
 */
export function* readTree(tree: string, visit: (element: Element) => void): Generator<void, boolean> {
  const parser = new SaxesParser({ xmlns: false, position: false })
  const open: Element[] = []
  let line = 1
  let held = 0
  const hold = (part: Element | string) => {
    held += 1
    if (held <= mostInOne) open.at(-1)?.children.push(part)
    else if (open[1]) open[1].cut = true
  }
  parser.on('error', (error) => {
    throw new NotAPage('The wiki gave no well-formed parse tree.', { cause: error })
  })
  parser.on('doctype', () => {
    throw new NotAPage('The wiki gave a document of another kind in place of a parse tree.')
  })
  parser.on('opentag', (tag) => {
    if (open.length === 0 && tag.name !== 'root') throw new NotAPage(`The wiki gave <${tag.name.slice(0, 40)}> in place of a parse tree.`)
    open.push({ name: tag.name, index: tag.attributes.index, line, children: [] })
  })
  const addText = (text: string) => {
    line += text.split('\n').length - 1
    if (open.length > 1) hold(text)
  }
  parser.on('text', addText)
  parser.on('cdata', addText)
  parser.on('closetag', () => {
    const closed = open.pop()
    if (!closed || open.length === 0) return
    if (open.length > 1) return hold(closed)
    held = 0
    visit(closed)
  })
  for (let from = 0; from < tree.length; from += sliceLength) {
    if (open.length > mostLevels) return false
    parser.write(tree.slice(from, from + sliceLength))
    yield
  }
  parser.close()
  return true
}

/** The first child of that name. */
export function childOf(element: Element, name: string): Element | undefined {
  return element.children.find((child): child is Element => typeof child !== 'string' && child.name === name)
}

/** The text that stands directly in an element. */
export function textOf(element: Element | undefined): string {
  return element ? element.children.filter((child) => typeof child === 'string').join('') : ''
}

/**
 * What a reader of the page would see of a title, a value or a heading: its text, and what `nowiki` protects.
 * `undefined` when that cannot be known, because it comes from a template, a parameter or an extension.
 */
export function flatten(element: Element | undefined): string | undefined {
  const texts = (element?.children ?? []).map((child) => (typeof child === 'string' ? child : flatChild(child)))
  return texts.includes(undefined) ? undefined : texts.join('')
}

function flatChild(child: Element): string | undefined {
  if (child.name === 'comment' || child.name === 'ignore') return ''
  if (child.name === 'ext' && textOf(childOf(child, 'name')).toLowerCase() === 'nowiki') return textOf(childOf(child, 'inner'))
  if (child.name === 'template' && child.children.length === 1 && flatTitle(child) === '!') return '|'
  return undefined
}

function flatTitle(template: Element): string {
  return textOf(childOf(template, 'title')).trim()
}
