// How large a text becomes when it is parsed as JSON. Ten megabytes of `[` become lists of half a gigabyte, so the values are
// counted before.

export type Riches = { values: number; levels: number }

/** About how many values stand in `text` if it is JSON, and how deep within each other at most; counted up to these bounds. */
export function richesOf(text: string, { mostValues, mostLevels }: { mostValues: number; mostLevels: number }): Riches {
  const found = { values: 1, levels: 0 }
  let level = 0
  for (let at = 0; at < text.length && found.values <= mostValues && found.levels <= mostLevels; at++) {
    const character = text[at]
    if (character === '"') at = endOfString(text, at + 1)
    else if (character === ',') found.values += 1
    else if (character === ']' || character === '}') level -= 1
    else if (character === '[' || character === '{') {
      found.values += 1
      level += 1
      found.levels = Math.max(found.levels, level)
    }
  }
  return found
}

// The place of the quote that closes the string whose inside begins at `from`.
function endOfString(text: string, from: number): number {
  for (let end = text.indexOf('"', from); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0
    while (text[end - 1 - backslashes] === '\\') backslashes += 1
    if (backslashes % 2 === 0) return end
  }
  return text.length
}
