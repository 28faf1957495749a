// The words by which a delivery is found again. A text index of the database's own finds words, but gives them in no
// order of time: the newest fifty of a million would cost the million. Here each word has its deliveries by time.

const longest = 40
const most = 60

/** The words of `texts`, each once, in lower case: runs of letters, digits and underscores, cut at 40 characters; 60 at most. */
export function wordsOf(...texts: Array<string | null | undefined>): string[] {
  const words = texts.flatMap((text) => text?.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [])
  return [...new Set(words.map((word) => Array.from(word).slice(0, longest).join('')))].slice(0, most)
}
