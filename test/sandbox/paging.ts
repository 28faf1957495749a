// GitLab's pages: 20 items unless asked otherwise, 100 at most, the way to the next one in the header `Link`.
import { type Answer, json, type Received } from './server.ts'

export function paged<T>(request: Received, url: string, items: T[], show: (item: T) => unknown): Answer {
  const query = request.url.searchParams
  const size = Math.min(Number(query.get('per_page') ?? 20), 100)
  const page = Number(query.get('page') ?? 1)
  if (!(size >= 1) || !(page >= 1)) return json(400, { error: size >= 1 ? 'page is invalid' : 'per_page has a value not allowed' })
  const last = Math.max(1, Math.ceil(items.length / size))
  const link = (number: number, rel: string) => {
    const params = new URLSearchParams(query)
    params.set('page', String(number))
    params.set('per_page', String(size))
    return `<${url}${request.url.pathname}?${params.toString()}>; rel="${rel}"`
  }
  const links = [...(page > 1 ? [link(page - 1, 'prev')] : []), ...(page < last ? [link(page + 1, 'next')] : []), link(1, 'first')]
  const headers = {
    Link: links.join(', '),
    'X-Page': String(page),
    'X-Per-Page': String(size),
    'X-Next-Page': page < last ? String(page + 1) : '',
  }
  return json(200, items.slice((page - 1) * size, page * size).map(show), headers)
}
