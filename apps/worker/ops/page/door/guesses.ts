// Keeps guessing slow: after so many wrong tokens within a minute no token is looked at any more until the minute is
// over. Whoever is logged in already does not notice.
export type Guesses = {
  /** For how many seconds no token is looked at; 0 when the next one is. */
  wait: () => number
  /** A token was wrong. */
  wrong: () => void
}

const minute = 60_000

/** Allows `most` wrong tokens a minute. `now` is there for tests. */
export function countGuesses(most = 10, now = () => Date.now()): Guesses {
  let since = 0
  let count = 0
  return {
    wait: () => (count >= most && now() < since + minute ? Math.ceil((since + minute - now()) / 1000) : 0),
    wrong() {
      if (now() >= since + minute) {
        since = now()
        count = 0
      }
      count += 1
    },
  }
}
