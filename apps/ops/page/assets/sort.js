// Lets every table be sorted by a column, by numbers, times or words: a heading becomes a button. What is put in place anew is
// sorted as it was before.
const chosen = new Map()

function worthOf(cell) {
  const time = cell.querySelector('time')
  if (time) return Date.parse(time.dateTime)
  const text = cell.textContent.trim()
  return cell.classList.contains('number') ? Number.parseFloat(text.replaceAll(',', '')) || 0 : text
}

function compare(one, other) {
  if (typeof one === 'number' && typeof other === 'number') return one - other
  return String(one).localeCompare(String(other), 'en', { numeric: true })
}

function sort(table, { at, down }) {
  const body = table.tBodies[0]
  const rows = Array.from(body.rows, (row) => ({ row, worth: worthOf(row.cells[at]) }))
  rows.sort((one, other) => (down ? -1 : 1) * compare(one.worth, other.worth))
  body.append(...rows.map(({ row }) => row))
  for (const [index, heading] of Array.from(table.tHead.rows[0].cells).entries())
    if (index === at) heading.setAttribute('aria-sort', down ? 'descending' : 'ascending')
    else heading.removeAttribute('aria-sort')
}

function prepare(table) {
  const name = table.caption?.textContent ?? ''
  if (table.dataset.sortable || !table.tHead || table.tBodies[0].rows.length < 2) return
  table.dataset.sortable = 'yes'
  for (const [at, heading] of Array.from(table.tHead.rows[0].cells).entries()) {
    const button = document.createElement('button')
    button.type = 'button'
    button.className = 'sort'
    button.append(...heading.childNodes)
    button.addEventListener('click', ({ detail }) => {
      const before = chosen.get(name)
      chosen.set(name, { at, down: before?.at === at && !before.down })
      sort(table, chosen.get(name))
      // Nothing is put in place anew under the keyboard; who clicked is not there.
      if (detail > 0) button.blur()
    })
    heading.append(button)
  }
  if (chosen.has(name)) sort(table, chosen.get(name))
}

function prepareAll() {
  for (const table of document.querySelectorAll('main table')) prepare(table)
}

document.addEventListener('refreshed', prepareAll)
prepareAll()
