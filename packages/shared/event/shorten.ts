// Makes a payload short enough for a line of the feed: texts are cut, the longest first; where that is not enough, lists; then
// names; and at last the largest fields are left out. Ids, states and addresses are never cut.
import { isObject, type Json, type JsonObject } from '#shared/process/json.ts'

// Nothing below this many bytes is cut.
const shortest = 200
const mostTold = 2048
const longestTold = 200

// What fields are called that say which thing is meant, how it is, or where; and those that name it.
const fixed =
  /(^|_)(i?ids?|uuid|sha|before|after|oldrev|newrev|url|uri|href|homepage|state|status|action|kind|type|visibility|\w*_at|timestamp)$/i
const naming = /(^|_)(name|username|path|namespace|branch|ref|email|added|modified|removed)$|^path_with_namespace$/i

/** How many bytes a text and a name may have, and how many items a list. */
type Limits = { text: number; items: number; name: number }

const none = Number.POSITIVE_INFINITY

/** `payload` with at most `most` bytes as JSON, and the fields that were cut or left out for it, as `commits[].message`, in about 2 KiB. */
export function shorten(payload: JsonObject, most: number): { payload: JsonObject; cut: string[] } {
  const limits = limitsFor(payload, most)
  const cut = new Set<string>()
  const short = shortObject(payload, '', limits, cut)
  leaveOut(short, most, cut)
  return { payload: short, cut: told(cut) }
}

function limitsFor(payload: JsonObject, most: number): Limits {
  const fits = (limits: Limits) => bytesOf(shortObject(payload, '', limits, new Set())) <= most
  const texts = (text: number): Limits => ({ text, items: none, name: none })
  if (fits(texts(shortest))) return texts(largest(shortest, most, (text) => fits(texts(text))))
  const lists = (items: number): Limits => ({ text: shortest, items, name: none })
  if (fits(lists(0))) return lists(largest(0, most, (items) => fits(lists(items))))
  return { text: shortest, items: 0, name: shortest }
}

// The largest number below `most` that `fits`, as `least` does; a larger one does not. Numbers that are far too large cost much: they
// are not tried.
function largest(least: number, most: number, fits: (number: number) => boolean): number {
  let low = least
  let high = Math.max(1, 2 * least)
  while (high < most && fits(high)) [low, high] = [high, 2 * high]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (fits(middle)) low = middle
    else high = middle
  }
  return low
}

function shortObject(object: JsonObject, path: string, limits: Limits, cut: Set<string>): JsonObject {
  const entries = Object.entries(object).map(([name, value]): [string, Json] => {
    const shortName = cutText(name, limits.name)
    const here = path === '' ? shortName : `${path}.${shortName}`
    if (shortName !== name) cut.add(here)
    return [shortName, short(value, name, here, limits, cut)]
  })
  return Object.fromEntries(entries)
}

function short(value: Json, name: string, path: string, limits: Limits, cut: Set<string>): Json {
  if (isObject(value)) return shortObject(value, path, limits, cut)
  if (Array.isArray(value)) {
    if (value.length > limits.items) cut.add(path)
    return value.slice(0, limits.items).map((item) => short(item, name, `${path}[]`, limits, cut))
  }
  if (typeof value !== 'string' || fixed.test(name)) return value
  const text = cutText(value, naming.test(name) ? limits.name : limits.text)
  if (text !== value) cut.add(path)
  return text
}

// `most` bytes as JSON, with an ellipsis.
function cutText(text: string, most: number): string {
  // A character has six bytes at most, as in \u0000.
  if (6 * text.length <= most || bytesOf(text) - 2 <= most) return text
  const left = most - bytesOf('…') + 2
  let kept = text.slice(0, left)
  for (let size = bytesOf(kept) - 2; size > left; size = bytesOf(kept) - 2) kept = kept.slice(0, Math.floor((kept.length * left) / size))
  return `${kept.replace(/[\ud800-\udbff]$/, '')}…`
}

// A payload of very many fields: the largest go.
function leaveOut(payload: JsonObject, most: number, cut: Set<string>): void {
  let size = bytesOf(payload)
  if (size <= most) return
  const fields = Object.entries(payload).map(([name, value]) => ({ name, bytes: bytesOf({ [name]: value }) - 1 }))
  for (const { name, bytes } of fields.sort((one, other) => other.bytes - one.bytes)) {
    if (size <= most) return
    delete payload[name]
    cut.add(name)
    size -= bytes
  }
}

function told(cut: Set<string>): string[] {
  const paths: string[] = []
  let size = 0
  for (const path of cut) {
    const one = cutText(path, longestTold)
    size += bytesOf(one) + 1
    if (size > mostTold) return [...paths, '…']
    paths.push(one)
  }
  return paths
}

function bytesOf(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value))
}
