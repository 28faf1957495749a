// Keeps what is marked `data-live` up to date: every few seconds the page is fetched again, and those parts of it that
// have changed are put in place. Nothing is fetched while nobody looks, and nothing is taken from under the keyboard.
const every = 3000
// What each part was given last: a table that was sorted since looks otherwise.
const shown = new Map()
let timer

async function refresh() {
  try {
    const answer = await fetch(location.href, { redirect: 'error', signal: AbortSignal.timeout(10000) })
    if (!answer.ok) throw new Error(String(answer.status))
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html')
    for (const part of document.querySelectorAll('[data-live]')) replace(part, fresh.getElementById(part.id))
    document.dispatchEvent(new Event('refreshed'))
    tell('')
  } catch {
    tell('These numbers are not live any more: the worker does not answer, or you are logged out. Load the page again.')
  }
  schedule()
}

function replace(part, fresh) {
  if (!fresh || shown.get(part) === fresh.innerHTML || part.contains(document.activeElement)) return
  const selection = getSelection()
  if (selection && !selection.isCollapsed && selection.containsNode(part, true)) return
  shown.set(part, fresh.innerHTML)
  part.replaceChildren(...fresh.childNodes)
}

function tell(message) {
  let line = document.getElementById('stale')
  if (!line && message) {
    line = document.createElement('p')
    line.id = 'stale'
    line.className = 'notice bad'
    line.setAttribute('role', 'status')
    document.querySelector('h1').after(line)
  }
  if (line && line.textContent !== message) line.textContent = message
  if (line) line.hidden = message === ''
}

function schedule() {
  clearTimeout(timer)
  if (!document.hidden && document.querySelector('[data-live]')) timer = setTimeout(refresh, every)
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) clearTimeout(timer)
  else void refresh()
})
schedule()
