// Shares out the connections: the feed may have as many as it is allowed, but some are always kept for everything else, which
// is the hooks.

export type Shares = {
  all: number
  feed: number
  feedPerAddress: number
  /** How many senders that are not known yet may send small bodies at once, and as many large ones. */
  strangers: number
}

const keptMost = 1000
const perAddress = 1000
const strangersMost = 250

/** Shares of at most `all` connections. Without another wish one address gets not quite all of the feed's. */
export function shareOut(wanted: { all: number; feed: number; feedPerAddress: number | undefined }): Shares {
  const all = Math.min(wanted.all, wanted.feed + keptMost)
  const kept = Math.min(keptMost, Math.ceil(all / 2))
  const feed = Math.min(wanted.feed, all - kept)
  return {
    all,
    feed,
    feedPerAddress: wanted.feedPerAddress ?? Math.max(1, Math.min(perAddress, Math.floor(feed * 0.9))),
    // Each of the two rooms has so many inside, and as many that wait.
    strangers: Math.min(strangersMost, Math.ceil(kept / 4)),
  }
}
