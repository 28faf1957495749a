// What was before, as one scrolls back: the feed's own history, as lines of JSON, a stretch of time at once.
import { addOldest, oldest } from './list.js'

const most = 200
const mostTries = 30
const weekMs = 7 * 24 * 3600_000
const button = document.querySelector('#earlier')
let stretchMs = 3600_000
let isOver = false

/**
 * Shows earlier ones whenever the end of the list comes into sight, or the button is pressed. `query` is the filter. By itself it
 * looks no more than a week further back: where little matches, all of the history would have to be read.
 */
export function showEarlier(query) {
  const look = async (furthestMs) => {
    if (button.disabled || isOver) return
    seen.unobserve(button)
    button.disabled = true
    say('Earlier ones are being read…')
    try {
      const isFound = await more(query, furthestMs)
      say(isOver ? 'There is nothing earlier.' : isFound ? 'Earlier ones' : 'None in the week before. Search further back')
      if (isFound) seen.observe(button)
    } catch {
      say('Earlier ones could not be read. Try again')
    }
    button.disabled = isOver
  }
  const seen = new IntersectionObserver(
    (entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) void look(weekMs)
    },
    { rootMargin: '400px' },
  )
  button.addEventListener('click', () => void look(Number.POSITIVE_INFINITY))
  button.hidden = false
  seen.observe(button)
}

// Whether there were any. A stretch in which there are too many is made shorter, one in which there are none longer.
async function more(query, furthestMs) {
  const last = oldest() ?? { cursor: new Date().toISOString(), time: Date.now() }
  for (let tries = 0; tries < mostTries; tries++) {
    stretchMs = Math.min(stretchMs, furthestMs)
    const since = Math.max(0, last.time - stretchMs)
    const lines = await read(query, since, last.cursor)
    if (lines.length > most) {
      stretchMs /= 4
      continue
    }
    const earlier = lines.filter(({ meta }) => meta.cursor !== last.cursor && meta.domain !== 'canary')
    addOldest(earlier)
    isOver = since === 0 || earlier[0]?.meta.gap !== undefined
    if (isOver || earlier.length > 0) return true
    if (stretchMs === furthestMs) return false
    stretchMs *= 8
  }
  return false
}

// One more than there may be, which says that there are too many.
async function read(query, since, until) {
  const asked = new URLSearchParams({ since: new Date(since).toISOString(), until, limit: most + 1 })
  const answer = await fetch(`sse/${query === '' ? '?' : `${query}&`}${asked}`, { headers: { accept: 'application/x-ndjson' } })
  if (!answer.ok) throw new Error(String(answer.status))
  const lines = (await answer.text()).split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
}

function say(words) {
  button.textContent = words
}
