// Keeps the story of a merge request up to date while somebody looks: every few seconds the page is asked for again, and the
// story put in place when it has changed.
const every = 5000
const story = document.querySelector('#story')
let timer

async function refresh() {
  try {
    const answer = await fetch(location.href, { headers: { accept: 'text/html' }, signal: AbortSignal.timeout(10_000) })
    if (!answer.ok) throw new Error(String(answer.status))
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('#story')
    const selection = getSelection()
    const isBusy = story.contains(document.activeElement) || (selection && !selection.isCollapsed && selection.containsNode(story, true))
    if (fresh && !isBusy) story.replaceChildren(...fresh.childNodes)
  } catch {
    document.querySelector('#stale').textContent = 'It cannot be asked for again just now.'
  }
  schedule()
}

function schedule() {
  clearTimeout(timer)
  if (!document.hidden) timer = setTimeout(refresh, every)
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) clearTimeout(timer)
  else void refresh()
})
schedule()
