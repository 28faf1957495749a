// Long lists a page at a time: the next page begins after the last row of this one, so that nothing is shown twice or
// left out however much has come meanwhile.
import { html } from 'hono/html'
import type { ListKey } from '../../actions/deliveries.ts'
import type { Html } from './frame.ts'

export const usual = 50
const most = 200

/** How many rows to show when so many are asked for. */
export function sizeOf({ limit = usual }: { limit?: number | undefined }): number {
  return Math.min(limit, most)
}

/** Of the rows of a page and one more, asked for to know whether any are left: those to show, and the last of them if so. */
export function pageOf<Row>(rows: Row[], size: number): { shown: Row[]; last: Row | undefined } {
  const shown = rows.slice(0, size)
  return { shown, last: rows.length > size ? shown.at(-1) : undefined }
}

/** The cursor in a query; undefined when there is none, or nothing like one. */
export function readCursor(text: string | undefined): ListKey | undefined {
  const [, time = '', id = ''] = /^(\d{1,14})~(.{1,700})$/s.exec(text ?? '') ?? []
  return id === '' ? undefined : { at: new Date(Number(time)), id }
}

/** A row's cursor, as a query carries it. */
export function cursorOf(at: string, id: string): string {
  return `${Date.parse(at)}~${id}`
}

/** The link to what comes after this page, if anything does. */
export function older(address: string | undefined): Html {
  return address === undefined ? html`` : html`<p class="paging"><a href="${address}" rel="next">Older</a></p>`
}
