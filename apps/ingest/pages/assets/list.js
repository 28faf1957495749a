// The list of events: everything is text, nothing of a message is taken for markup.
import { told } from './told.js'

const most = 1000
export const list = document.querySelector('#events')
const template = document.querySelector('#event')
for (const time of list.querySelectorAll('time')) localize(time)

/** Shows a message, newest first, and lets go of the oldest where there are too many. */
export function addNewest(message, cursor) {
  if (message.meta.domain === 'canary') return
  const item = itemOf(message, cursor)
  item.classList.add('new')
  list.prepend(item)
  while (list.children.length > most) list.lastElementChild.remove()
}

/** Says that something is missing after the newest that is shown. */
export function addGap() {
  list.prepend(gapItem())
}

/** Shows lines of the feed, oldest first, that come before all others. */
export function addOldest(lines) {
  list.append(...lines.toReversed().map((line) => (line.meta.gap ? gapItem() : itemOf(line, line.meta.cursor))))
}

/** The cursor and the time of the oldest that is shown; undefined where none is. */
export function oldest() {
  const item = [...list.querySelectorAll('li[data-cursor]')].at(-1)
  return item && { cursor: item.dataset.cursor, time: Date.parse(item.querySelector('time').dateTime) }
}

function gapItem() {
  const item = document.createElement('li')
  item.className = 'gap'
  item.textContent = 'Here something is missing that nobody keeps any more.'
  return item
}

function itemOf(message, cursor) {
  const event = told(message)
  const item = template.content.firstElementChild.cloneNode(true)
  const put = (name, text, address) => {
    const element = item.querySelector(`.${name}`)
    const inner = element.querySelector('bdi') ?? element
    inner.textContent = text
    if (address) Object.assign(element, { href: address, rel: 'noreferrer' })
  }
  item.dataset.cursor = cursor
  item.querySelector('time').dateTime = event.dt
  localize(item.querySelector('time'))
  item.querySelector('.kind').dataset.kind = event.kind
  put('kind', event.kind.replaceAll('_', ' '), `?kind=${encodeURIComponent(event.kind)}`)
  put('who', event.who)
  put('words', event.words)
  put('what', event.what, event.address)
  if (event.story) item.querySelector('.story').href = event.story
  put('where', event.where, event.home)
  return item
}

function localize(time) {
  const date = new Date(time.dateTime)
  const isToday = date.toDateString() === new Date().toDateString()
  time.textContent = isToday ? date.toLocaleTimeString() : date.toLocaleString()
  time.title = time.dateTime
}
