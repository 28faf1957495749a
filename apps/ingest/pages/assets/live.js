// Shows what comes by the feed, newest first, from where the page was made on.
import './copy.js'
import { showEarlier } from './earlier.js'
import { addGap, addNewest, list } from './list.js'
import { queryOf } from './query.js'

const state = document.querySelector('#state')
const boxes = document.querySelector('#boxes')
const asked = new URLSearchParams(location.search)
const query = queryOf((name) => asked.getAll(name).join(','))
const soonestMs = 15_000
const spreadMs = 30_000
let cursor = list.dataset.cursor

function connect() {
  const from = cursor === '' ? { since: new Date(Date.now() - 3600_000).toISOString() } : { last_event_id: cursor }
  const feed = new EventSource(`sse/${query === '' ? '?' : `${query}&`}${new URLSearchParams(from)}`)
  feed.onopen = () => say('live', 'Live: what happens appears here by itself.')
  feed.onmessage = ({ data, lastEventId }) => {
    cursor = lastEventId
    addNewest(JSON.parse(data), cursor)
  }
  feed.addEventListener('gap', ({ lastEventId }) => {
    cursor = lastEventId
    addGap()
  })
  feed.onerror = () => {
    if (feed.readyState !== EventSource.CLOSED)
      return say('broken', 'The connection broke off. It is made again by itself, and nothing is missed.')
    say('broken', 'The service takes no more readers at the moment. In half a minute it is tried again.')
    setTimeout(connect, soonestMs + Math.random() * spreadMs)
  }
}

function say(name, words) {
  state.dataset.state = name
  state.textContent = words
}

// Boxes that are empty do not belong into the address.
boxes.addEventListener('submit', (event) => {
  event.preventDefault()
  const given = new FormData(boxes)
  location.assign(location.pathname + queryOf((name) => given.get(name)))
})

// A question that cannot be understood has been answered already.
if (state.dataset.state !== 'refused') {
  say('broken', 'Connecting…')
  connect()
  showEarlier(query)
}
