// Text that came from outside, made harmless to whoever reads it: nothing in it rings, colours, moves the cursor, breaks the
// line, cannot be seen, or turns the direction of writing. Every output passes through here: what commands say, log lines,
// the operator's pages.
import { stripVTControlCharacters } from 'node:util'

const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu
const unseenInLines = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/gu
// `JSON.stringify` escapes the first 32 of these by itself.
const unescaped = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu

/** `text` as one line: sequences for terminals are taken out, and whatever else cannot be seen is a blank. */
export function harmless(text: string): string {
  return stripVTControlCharacters(text).replaceAll(unseen, ' ')
}

/** A document of many lines without what cannot be seen; its line breaks stay. */
export function harmlessDocument(text: string): string {
  return text.replaceAll(unseenInLines, ' ')
}

/** JSON that says just what `json` says, with escapes in place of what cannot be seen. */
export function harmlessJson(json: string): string {
  return json.replaceAll(unescaped, escaped)
}

// Those beyond U+FFFF have two units, and two escapes.
function escaped(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}
