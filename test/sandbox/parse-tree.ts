// Wikitext to the tree that api.php gives for `prop=parsetree`: headings, templates and their arguments in between
// plain text. One pass with a stack of things that are open (a heading, braces, brackets), as MediaWiki's
// preprocessor does it; what is still open at the end turns out to have been text.
import { escapeXml, readTag, tagged } from './parse-tag.ts'

type Part = { out: string; equals?: number; visualEnd?: number; commentEnd?: number }
type Open = { sign: '' | '\n' | '{' | '['; close: string; count: number; start: number; parts: [Part, ...Part[]] }

const brackets = { '{': { close: '}', names: ['', '', 'template', 'tplarg'] }, '[': { close: ']', names: ['', '', ''] } } as const

export function parseTree(text: string): string {
  const stack: [Open, ...Open[]] = [open('', '', 0, 0, '')]
  const top = () => stack.at(-1) ?? stack[0]
  const part = () => top().parts.at(-1) ?? top().parts[0]
  const write = (xml: string) => {
    part().out += xml
  }
  const unclosedTags = new Set<string>()
  let headings = 0
  let i = 0

  startLine(0)
  while (i < text.length || top().sign === '\n') {
    const sign = text[i] ?? '\n'
    const { sign: within, parts } = top()
    if (sign === '\n') {
      if (within === '\n') endHeading()
      else {
        write('\n')
        startLine(i + 1)
      }
    } else if (sign === '<') readAngle()
    else if (sign === '{' || sign === '[') openBrackets(sign)
    else if (sign === top().close) closeBrackets()
    else if (sign === '|' && within === '{') {
      parts.push({ out: '' })
      i += 1
    } else if (sign === '=' && within === '{' && parts.length > 1 && part().equals === undefined) {
      part().equals = part().out.length
      write('=')
      i += 1
    } else {
      const plain = /[^\n<{[|=}\]]*/y
      plain.lastIndex = i + 1
      const end = i + 1 + (plain.exec(text)?.[0].length ?? 0)
      write(escapeXml(text.slice(i, end)))
      i = end
    }
  }
  const xml = stack.map((piece) => (piece.sign === '' ? piece.parts[0].out : literal(piece))).join('')
  return xml === '' ? '<root/>' : `<root>${xml}</root>`

  function startLine(at: number): void {
    i = at
    const count = Math.min(run('=', at), 6)
    const separator = count === 1 && top().sign === '{' && top().parts.length > 1 && part().equals === undefined
    if (count === 0 || separator) return
    stack.push(open('\n', '\n', count, at, '='.repeat(count)))
    i += count
  }

  function endHeading(): void {
    const heading = top()
    const { out, commentEnd, visualEnd } = part()
    stack.pop()
    let end = i - runBack(' \t', i)
    if (commentEnd === end) end = (visualEnd ?? end) - runBack(' \t', visualEnd ?? end)
    const signs = runBack('=', end)
    const alone = end - signs === heading.start
    const level = alone ? (signs < 3 ? 0 : Math.min(6, Math.floor((signs - 1) / 2))) : Math.min(signs, heading.count)
    write(level > 0 ? `<h level="${level}" i="${++headings}">${out}</h>` : out)
    if (i >= text.length) return
    write('\n')
    startLine(i + 1)
  }

  function readAngle(): void {
    const tag = readTag(text, i, unclosedTags)
    if (tag.comment) {
      const { out } = part()
      if (tag.wholeLine) part().out = out.slice(0, out.length - (i - tag.start))
      if (part().commentEnd !== tag.start) part().visualEnd = tag.start
      part().commentEnd = tag.end
    }
    write(tag.xml)
    if (tag.comment && tag.wholeLine) startLine(tag.end)
    else i = tag.end
  }

  function openBrackets(sign: '{' | '['): void {
    const count = run(sign, i)
    if (count >= 2) stack.push(open(sign, brackets[sign].close, count, i, ''))
    else write(sign)
    i += count
  }

  function closeBrackets(): void {
    const piece = top()
    if (piece.sign !== '{' && piece.sign !== '[') return
    const { names } = brackets[piece.sign]
    const found = Math.min(run(piece.close, i), piece.count)
    const used = Math.min(found, names.length - 1)
    if (used < 2) {
      write(piece.close.repeat(found))
      i += found
      return
    }
    const name = names[used]
    const xml = name
      ? element(name, piece, piece.count === used && text[piece.start - 1] === '\n')
      : literal(piece, used) + piece.close.repeat(used)
    i += used
    stack.pop()
    const left = piece.count - used
    if (left >= 2) stack.push(open(piece.sign, piece.close, left, piece.start, ''))
    else write(piece.sign.repeat(left))
    write(xml)
  }

  function run(sign: string, at: number): number {
    let end = at
    while (text[end] === sign) end += 1
    return end - at
  }

  function runBack(signs: string, at: number): number {
    let start = at
    while (start > 0 && signs.includes(text[start - 1] ?? '')) start -= 1
    return at - start
  }
}

function open(sign: Open['sign'], close: string, count: number, start: number, out: string): Open {
  return { sign, close, count, start, parts: [{ out }] }
}

function literal({ sign, parts, count }: Open, signs = count): string {
  return (sign === '\n' ? '' : sign.repeat(signs)) + parts.map(({ out }) => out).join('|')
}

function element(name: string, { parts: [title, ...parts] }: Open, lineStart: boolean): string {
  let index = 0
  const xml = parts.map(({ out, equals }) =>
    equals === undefined
      ? `<part><name index="${++index}"/>${tagged('value', out)}</part>`
      : `<part>${tagged('name', out.slice(0, equals))}<equals>=</equals>${tagged('value', out.slice(equals + 1))}</part>`,
  )
  return `<${name}${lineStart ? ' lineStart="1"' : ''}>${tagged('title', title.out)}${xml.join('')}</${name}>`
}
