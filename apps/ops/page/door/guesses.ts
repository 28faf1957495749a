// Slows down guessing, by address: after a few wrong tokens each answer is delayed, the longer the more there were. A right
// token is delayed just as long, or a quick answer would tell. But it is never refused, or whoever guesses would lock everybody
// out. Sessions are not delayed.
export type Guesses = {
  /** For how many ms the answer to a token from `address` is put off now. */
  delayMs: (address: string) => number
  /** A token from `address` was wrong; answers how many there were lately. */
  wrong: (address: string) => number
}

const free = 5
const firstMs = 100
const longestMs = 1000
const forgetMs = 10 * 60_000

/** Remembers `most` addresses, those that guessed last. `now` is there for tests. */
export function countGuesses({ most = 10_000, now = () => Date.now() } = {}): Guesses {
  const all = new Map<string, { count: number; at: number }>()
  const countOf = (network: string) => {
    const found = all.get(network)
    return found && now() - found.at < forgetMs ? found.count : 0
  }
  return {
    delayMs(address) {
      const count = countOf(networkOf(address))
      return count < free ? 0 : Math.min(longestMs, firstMs * 2 ** (count - free))
    },
    wrong(address) {
      const network = networkOf(address)
      const count = countOf(network) + 1
      all.delete(network)
      all.set(network, { count, at: now() })
      const [oldest = network] = all.keys()
      if (all.size > most) all.delete(oldest)
      return count
    },
  }
}

// With IPv6 one subscriber has a whole network of addresses, which counts as one.
function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address.replace(/^::ffff:/i, '')
  const [head = [], tail = []] = address.split('::').map((half) => half.split(':').filter((group) => group !== ''))
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0')
  return [...head, ...zeros, ...tail].slice(0, 4).join(':')
}
