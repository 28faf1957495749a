// The filters of the command line as a form: the same names, the same words, the same mistakes.
import { html } from 'hono/html'
import { z } from 'zod'
import type { Filters } from '#shared/journal/search/filters.ts'
import { filterSchema, performerNames } from '../../filters.ts'
import type { Html } from './frame.ts'
import { usual } from './paging.ts'

/** What was typed, what it means, and what could not be understood, a line for each filter. */
export type Asked = { typed: Record<string, string>; filters: Filters; mistakes: string[] }

const typedSchema = z.record(z.string(), z.string())

/** Reads the filters out of a query or a form; fields that are empty do not count. */
export function readFilters(fields: Record<string, unknown>): Asked {
  const given = Object.entries(fields).filter(
    ([name, value]) => Object.hasOwn(filterSchema.shape, name) && typeof value === 'string' && value.trim() !== '',
  )
  const typed = typedSchema.parse(Object.fromEntries(given))
  const read = filterSchema.safeParse(typed)
  if (read.success) return { typed, filters: read.data, mistakes: [] }
  return { typed, filters: {}, mistakes: read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) }
}

/** Whether anything is left out. */
export function isFiltered({ typed }: Asked): boolean {
  return Object.keys(typed).some((name) => name !== 'limit')
}

/** The filters that were asked for, as a query. */
export function queryOf({ typed }: Asked, more: Record<string, string> = {}): string {
  return new URLSearchParams({ ...typed, ...more }).toString()
}

const fields: Array<[name: keyof Filters, label: string, example: string]> = [
  ['kind', 'Kind', 'merge_request'],
  ['project', 'Project', 'repos/releng/*'],
  ['mr', 'Merge request', 'repos/releng/tool!12'],
  ['task', 'Task', 'T123'],
  ['error', 'Error group', '4f2a90c1d7be'],
  ['since', 'Since', '2h, or 2026-11-23T10:00Z'],
  ['until', 'Until', '30m'],
  ['id', 'Delivery id', 'or how it begins'],
  ['text', 'Text', 'in title, user, project'],
]

/** The form, filled in as it was asked; `states` leaves out the state where there is only one. */
export function filterForm(asked: Asked, action: string, { states: offered = [] }: { states?: readonly string[] } = {}): Html {
  const { typed, mistakes } = asked
  const used = Object.keys(typed).length > 0
  return html`<details class="filters"${used ? html` open` : ''}>
<summary>Filter${used ? html` <small>(${Object.keys(typed).join(', ')})</small>` : ''}</summary>
${mistakes.map((mistake) => html`<p class="notice bad" role="alert">${mistake}</p>`)}
<form method="get" action="${action}">
<div class="fields">
${choice('sink', 'Sink', performerNames, typed)}
${offered.length > 0 ? choice('state', 'State of an effect', offered, typed) : ''}
${fields.map(
  ([name, label, example]) => html`<div><label for="filter-${name}">${label}</label>
<input id="filter-${name}" name="${name}" value="${typed[name] ?? ''}" placeholder="${example}" autocomplete="off" spellcheck="false"></div>`,
)}
${choice('limit', 'On a page', ['25', '100', '200'], typed, String(usual))}
</div>
<p><button>Show</button> <a href="${action}">Clear</a></p>
</form>
</details>`
}

function choice(name: string, label: string, values: readonly string[], typed: Record<string, string>, none = 'any'): Html {
  return html`<div><label for="filter-${name}">${label}</label>
<select id="filter-${name}" name="${name}"><option value="">${none}</option>
${values.map((value) => html`<option${typed[name] === value ? html` selected` : ''}>${value}</option>`)}
</select></div>`
}
