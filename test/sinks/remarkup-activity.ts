// What a text would do as a comment of Phabricator, besides being read: links to objects, mentions, markup, blocks.
// Written from Phabricator's reference of Remarkup and its rules, and without a look at how comments are made.

const addresses = /\bhttps?:\/\/[^\s<>()[\]{}"'`]+/gu
const active: Array<[what: string, pattern: RegExp]> = [
  ['a mention', /(?<![\p{L}\p{N}_-])@[\w.-]/u],
  ['a project', /(?<![\p{L}\p{N}_/])#[^\s?!,:;{}#()"'.\d]/u],
  ['an object', /(?<![#@\p{L}\p{N}_-])[A-Z]\d+/u],
  ['a repository', /(?<![#@\p{L}\p{N}_-])r[A-Z]+/u],
  ['a commit', /(?<![#@\p{L}\p{N}_-])[0-9a-f]{7,40}(?![\p{L}\p{N}_])/u],
  ['an embedded object', /\{[^}]/],
  ['a link', /\[\[|\]\(/],
  ['bold, underlined or other type', /\*\*|__|~~|!!|##|\/\/|`/],
  ['a list, heading, quotation or note', /^\s*([-*#+>=|]|\d+[.)]\s|\[[ x]\]|[A-Z]+:|\((NOTE|WARNING|IMPORTANT)\))/m],
]
const lineBreak = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/
// The only invisible character that may stand outside of the block is the one that takes names apart.
const invisible = /[\p{Cc}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\u0085\u2028\u2029]/u

/** What the comment does that it must not do; empty when it is one live line and at most one literal block. */
export function activityOf(comment: string): string[] {
  const [first = '', blank, block, ...rest] = comment.split(lineBreak)
  const live = first.replaceAll(addresses, 'address')
  const found = active.flatMap(([what, pattern]) => (pattern.test(live) ? [`${what}: ${JSON.stringify(first)}`] : []))
  if (invisible.test(live.replaceAll('\u2060', ''))) found.push(`invisible characters: ${JSON.stringify(first)}`)
  if ((first.match(addresses) ?? []).length !== 1) found.push(`not one address: ${JSON.stringify(first)}`)
  if (first.includes('%%%')) found.push('a block in the first line')
  if (!comment.isWellFormed()) found.push('half a character')
  if (blank === undefined) return found
  if (blank !== '') found.push(`a line between: ${JSON.stringify(blank)}`)
  if (rest.length > 0) found.push(`${rest.length} lines too many`)
  if (block === undefined || !/^%%%\[.*%%%$/s.test(block) || block.length < 7) return [...found, 'no literal block']
  if (block.slice(3, -3).includes('%%%')) found.push('the block is closed inside')
  if (invisible.test(block)) found.push(`invisible characters in the block: ${JSON.stringify(block)}`)
  return found
}
