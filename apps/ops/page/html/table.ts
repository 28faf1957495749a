// A table that a screen reader can read, that scrolls by itself where it is too wide, and is a list on a narrow screen.
import { html } from 'hono/html'
import type { Html } from './frame.ts'

type Cell = Html | string | number
/** A heading; one that begins with `#` stands over numbers, one with `~` over sentences. */
type Heading = string

/** `rows` under `headings`; the first cell of a row is what the row is about. Without rows the sentence `none`. */
export function table(caption: string, headings: Heading[], rows: Cell[][], none: string): Html {
  if (rows.length === 0) return html`<p class="none">${none}</p>`
  const columns = headings.map((heading) => ({ name: heading.replace(/^[#~]/, ''), look: looks[heading.charAt(0)] ?? '' }))
  const cell = (content: Cell, at: number) =>
    at === 0
      ? html`<th scope="row" class="${columns[at]?.look}">${content}</th>`
      : html`<td class="${columns[at]?.look}" data-name="${columns[at]?.name}">${content}</td>`
  return html`<div class="wide" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map(({ name, look }) => html`<th scope="col" class="${look}">${name}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`)}
</tbody></table></div>`
}

const looks: Record<string, string> = { '#': 'number', '~': 'prose' }
