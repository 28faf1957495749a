// A day as small bars, drawn here as SVG: a bar an hour, in pieces laid on one another, with the numbers in words for
// those who cannot see it or want to know exactly.
import { html } from 'hono/html'
import type { Html } from '../html/frame.ts'
import { count } from '../html/words.ts'

export type Series = { name: string; look: 'good' | 'dim' | 'bad' | 'plain'; values: number[] }

const [width, height, gap] = [480, 64, 3]

/** One plot; `hours` are the names of its bars. */
export function plot(title: string, hours: string[], pieces: Series[]): Html {
  const sums = hours.map((_, at) => pieces.reduce((sum, { values }) => sum + (values[at] ?? 0), 0))
  const most = Math.max(1, ...sums)
  const step = width / hours.length
  const total = sums.reduce((sum, value) => sum + value, 0)
  const bars = hours.map((name, at) => {
    let below = 0
    const parts = pieces.map(({ look, values }) => {
      const size = (height * (values[at] ?? 0)) / most
      below += size
      return size === 0
        ? ''
        : html`<rect class="${look}" x="${fixed(at * step)}" y="${fixed(height - below)}" width="${fixed(step - gap)}" height="${fixed(size)}"/>`
    })
    const said = pieces.map((piece) => `${count(piece.values[at] ?? 0)} ${piece.name}`).join(', ')
    return html`<g><title>${name}: ${said}</title><rect class="room" x="${fixed(at * step)}" y="0" width="${fixed(step - gap)}" height="${height}"/>${parts}</g>`
  })
  return html`<figure class="plot"><figcaption><b>${title}</b> <span>${count(total)} in 24 h, at most ${count(most)} an hour</span></figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}: ${pieces.map(({ name, values }) => `${count(values.reduce((sum, value) => sum + value, 0))} ${name}`).join(', ')} in the last 24 hours" preserveAspectRatio="none">${bars}</svg>
<div class="scale" aria-hidden="true"><span>${hours[0]}</span><span>${hours.at(-1)}</span></div>
${pieces.length > 1 ? html`<ul class="legend">${pieces.map(({ name, look }) => html`<li class="${look}">${name}</li>`)}</ul>` : ''}</figure>`
}

function fixed(number: number): string {
  return number.toFixed(2)
}
