// Shows what comes by the feed, newest first. Everything is text: nothing of a message is taken for markup.
const most = 20
const list = document.querySelector('#events')
const state = document.querySelector('#state')
const hourAgo = Date.now() - 3600_000

const feed = new EventSource(`sse/?since=${hourAgo}`)
feed.onopen = () => {
  state.textContent = 'Reading. The last hour comes first.'
}
feed.onerror = () => {
  state.textContent = 'The connection broke off; it is made again.'
}
feed.onmessage = ({ data }) => {
  const message = JSON.parse(data)
  const { meta, object_attributes: attributes } = message
  const time = element('time', new Date(meta.dt).toLocaleTimeString())
  time.dateTime = meta.dt
  const what = [meta.kind, attributes?.action ?? message.action].filter(Boolean).join(' ')
  const where = message.project?.path_with_namespace ?? message.path_with_namespace ?? ''
  const item = document.createElement('li')
  item.append(time, element('b', what), linked(where, attributes?.url ?? message.project?.web_url))
  list.prepend(item)
  while (list.children.length > most) list.lastElementChild.remove()
}

function element(name, text) {
  const made = document.createElement(name)
  made.textContent = text
  return made
}

function linked(text, address) {
  if (typeof address !== 'string' || !/^https?:\/\//.test(address)) return element('span', text)
  const link = element('a', text)
  link.href = address
  link.rel = 'noreferrer'
  return link
}
