// What begins with `<` in wikitext: comments, tags whose content is not wikitext (nowiki, pre, ref …), tags that only
// matter when a page is included elsewhere. Everything else is text.

export type Tag = { xml: string; start: number; end: number; comment: boolean; wholeLine: boolean }

const raw = 'nowiki|pre|ref|references|gallery|indicator|syntaxhighlight|source|math|poem'
const names = new RegExp(`<(${raw}|includeonly|/?noinclude|/?onlyinclude)(?=\\s|/>|>)`, 'iy')

export function readTag(text: string, at: number, unclosed: Set<string>): Tag {
  if (text.startsWith('<!--', at)) return readComment(text, at)
  const here = (xml: string, end: number): Tag => ({ xml, start: at, end, comment: false, wholeLine: false })
  names.lastIndex = at
  const name = names.exec(text)?.[1]
  const tagEnd = name === undefined ? -1 : text.indexOf('>', at)
  if (name === undefined || tagEnd === -1) return here('&lt;', at + 1)
  const whole = escapeXml(text.slice(at, tagEnd + 1))
  if (/^\/?(noinclude|onlyinclude)$/i.test(name)) return here(`<ignore>${whole}</ignore>`, tagEnd + 1)

  const selfClosed = text[tagEnd - 1] === '/'
  const attributes = tagged('attr', escapeXml(text.slice(at + 1 + name.length, selfClosed ? tagEnd - 1 : tagEnd)))
  if (selfClosed) return here(`<ext><name>${name}</name>${attributes}</ext>`, tagEnd + 1)
  const closing = new RegExp(`</${name}\\s*>`, 'gi')
  closing.lastIndex = tagEnd + 1
  const close = unclosed.has(name) ? null : closing.exec(text)
  if (!close) {
    unclosed.add(name)
    return here(whole, tagEnd + 1)
  }
  const end = close.index + close[0].length
  if (/^includeonly$/i.test(name)) return here(`<ignore>${escapeXml(text.slice(at, end))}</ignore>`, end)
  const inner = tagged('inner', escapeXml(text.slice(tagEnd + 1, close.index)))
  return here(`<ext><name>${name}</name>${attributes}${inner}<close>${escapeXml(close[0])}</close></ext>`, end)
}

// A comment, or several in a row, alone on a line takes the whole line, its break included.
function readComment(text: string, at: number): Tag {
  const close = text.indexOf('-->', at + 4)
  if (close === -1)
    return { xml: `<comment>${escapeXml(text.slice(at))}</comment>`, start: at, end: text.length, comment: true, wholeLine: false }
  let before = at
  while (text[before - 1] === ' ' || text[before - 1] === '\t') before -= 1
  const row = /(?:<!--(?:(?!-->)[\s\S])*-->[ \t]*)+/y
  row.lastIndex = at
  const rowText = row.exec(text)?.[0] ?? ''
  const after = at + rowText.length
  if (before > 0 && text[before - 1] === '\n' && text[after] === '\n') {
    const comments = `${text.slice(before, after)}\n`.match(/[ \t]*<!--(?:(?!-->)[\s\S])*-->[ \t]*\n?/g) ?? []
    const xml = comments.map((comment) => `<comment>${escapeXml(comment)}</comment>`).join('')
    return { xml, start: before, end: after + 1, comment: true, wholeLine: true }
  }
  return { xml: `<comment>${escapeXml(text.slice(at, close + 3))}</comment>`, start: at, end: close + 3, comment: true, wholeLine: false }
}

export function tagged(name: string, xml: string): string {
  return xml === '' ? `<${name}/>` : `<${name}>${xml}</${name}>`
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
