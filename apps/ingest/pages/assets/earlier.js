// What was before, as one scrolls back: the feed's own history, as lines of JSON, a stretch of time at once.
import { addGap, addOldest, oldest } from './list.js'

const most = 200
const mostTries = 30
const button = document.querySelector('#earlier')
let stretchMs = 3600_000
let isOver = false

/** Shows earlier ones whenever the end of the list comes into sight, or the button is pressed. `query` is the filter. */
export function showEarlier(query) {
  button.hidden = false
  const look = async () => {
    if (button.disabled || isOver) return
    button.disabled = true
    button.textContent = 'Earlier ones are being read…'
    try {
      await more(query)
      button.textContent = isOver ? 'There is nothing earlier.' : 'Earlier ones'
    } catch {
      button.textContent = 'Earlier ones could not be read. Try again.'
    }
    button.disabled = isOver
    seen.unobserve(button)
    if (!button.textContent.startsWith('Earlier ones could')) seen.observe(button)
  }
  const seen = new IntersectionObserver(
    (entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) void look()
    },
    {
      rootMargin: '400px',
    },
  )
  button.addEventListener('click', () => void look())
  seen.observe(button)
}

async function more(query) {
  const last = oldest() ?? { cursor: new Date().toISOString(), time: Date.now() }
  for (let tries = 0; tries < mostTries; tries++) {
    const since = Math.max(0, last.time - stretchMs)
    const { messages, gap } = await read(query, since, last.cursor)
    if (messages.length > most) {
      stretchMs /= 4
      continue
    }
    addOldest(messages.filter(({ meta }) => meta.cursor !== last.cursor))
    if (gap) addGap('append')
    if (since === 0 || gap) isOver = true
    if (messages.some(({ meta }) => meta.cursor !== last.cursor) || isOver) return
    stretchMs *= 8
  }
}

// One more than there may be, which says that there are too many.
async function read(query, since, until) {
  const asked = new URLSearchParams({ since: new Date(since).toISOString(), until, limit: most + 1 })
  const answer = await fetch(`sse/${query === '' ? '?' : `${query}&`}${asked}`, { headers: { accept: 'application/x-ndjson' } })
  if (!answer.ok) throw new Error(String(answer.status))
  const lines = (await answer.text()).split('\n').filter((line) => line !== '')
  const all = lines.map((line) => JSON.parse(line))
  return { messages: all.filter(({ meta }) => !meta.gap), gap: all.some(({ meta }) => meta.gap) }
}
