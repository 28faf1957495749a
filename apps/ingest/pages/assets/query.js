// The question that the boxes of the page ask: what the feed understands, in an address that can be put into quotes.

export const names = ['kind', 'project', 'action']

/** `?kind=push,note&project=repos/*`, or nothing, of what `given` says of each name. */
export function queryOf(given) {
  const query = new URLSearchParams()
  for (const name of names) {
    const values = (given(name) ?? '').split(',').map((value) => value.trim())
    const list = values.filter(Boolean).join(',')
    if (list !== '') query.set(name, list)
  }
  const text = query.toString().replaceAll('%2C', ',').replaceAll('%2F', '/')
  return text === '' ? '' : `?${text}`
}
