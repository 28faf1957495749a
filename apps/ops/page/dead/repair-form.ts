// The one form by which dead letters are repaired, wherever they are shown: what would happen, put back, let go.
import { html } from 'hono/html'
import { ownForm, type Visitor } from '../door/visitor.ts'
import type { Asked } from '../html/filter-form.ts'
import type { Html } from '../html/frame.ts'
import { reasonField } from '../html/reason.ts'
import { count } from '../html/words.ts'

/**
 * Which letters the form is for: the `ids`; or those ticked in `list`, where with `asked` the visitor may also choose all that
 * match the filters, `matching` in number; without a number all that match are meant.
 */
type Offered = { ids: string[] } | { list: Html; asked?: Asked; matching?: number }

/** For a visitor who may only look there is the list, and no form. */
export function repairForm(visitor: Visitor, offered: Offered): Html {
  if (!visitor.mayChange) return html`${'ids' in offered ? '' : offered.list}`
  return html`<form method="post" action="/dead">${ownForm(visitor)}
${'ids' in offered ? offered.ids.map((id) => html`<input type="hidden" name="letter" value="${id}">`) : offered.list}
<fieldset class="card">
<legend>Repair</legend>
${'ids' in offered || !offered.asked ? html`<input type="hidden" name="which" value="ticked">` : which(offered.asked, offered.matching)}
<div class="fields">
${reasonField('repair')}
<div><label for="repair-rate">At most this many a second</label>
<input id="repair-rate" name="rate" value="10" inputmode="decimal" pattern="\\d{1,4}([.]\\d)?" required></div>
</div>
<p class="buttons">
<button name="do" value="dry-run" class="quiet" formnovalidate>Dry run</button>
<button name="do" value="replay">Replay</button>
<button name="do" value="discard" class="danger">Discard</button>
</p>
</fieldset>
</form>`
}

function which({ typed }: Asked, matching: number | undefined): Html {
  // The limit is left out: it says how many are on a page, not how many are meant.
  const filters = Object.entries(typed).filter(([name]) => name !== 'limit')
  const kept = filters.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)
  if (matching === undefined) return html`<input type="hidden" name="which" value="matching">${kept}`
  return html`<p class="which" role="radiogroup" aria-label="Which letters">
<label><input type="radio" name="which" value="ticked" checked> the ones ticked above</label>
<label><input type="radio" name="which" value="matching"> all ${count(matching)} that match the filter</label>
</p>
${kept}`
}
