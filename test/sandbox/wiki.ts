// MediaWiki's api.php, for reading: the parse tree of a page and the ids of its revisions. Errors are HTTP 200 with a
// code; a missing page is an error for `action=parse` but none for `action=query`. Whoever does not say who they are
// (`User-Agent`) is refused, as Wikimedia refuses them.
import { wikiPage } from './page.ts'
import { findPage, normalTitle, type Pages, removePage, savePage, saveTree } from './pages.ts'
import { parseTree } from './parse-tree.ts'
import { type Answer, htmlPage, json, type Received, type Remote, startRemote } from './server.ts'

/** `truncated` sends half of each answer; `html` a page in place of JSON; `database-down` JSON with a page glued to it. */
export type WikiState = { pages: Pages; mode: 'normal' | 'html' | 'database-down' | 'truncated' }

export type Wiki = Remote & {
  apiUrl: string
  state: WikiState
  /** Returns the new revision's id. An empty text blanks the page. */
  save(title: string, text: string): number
  /** A tree as it stands, for pages no wikitext would give. */
  saveTree(title: string, tree: string): number
  remove(title: string): void
}

export async function startWiki(port: number): Promise<Wiki> {
  const state: WikiState = { pages: new Map(), mode: 'normal' }
  const remote = await startRemote({
    port,
    handle: (request) => answer(state, request, remote.url),
    record: ({ url, body }) => ({ path: url.pathname + url.search, body: body.toString() }),
  })
  return {
    ...remote,
    apiUrl: `${remote.url}/w/api.php`,
    state,
    save: (title, text) => savePage(state.pages, title, text),
    saveTree: (title, tree) => saveTree(state.pages, title, tree),
    remove: (title) => removePage(state.pages, title),
  }
}

function answer(state: WikiState, request: Received, url: string): Answer | Promise<Answer> {
  const { pathname, searchParams } = request.url
  if (/^\s*(node|undici)?\s*$/.test(request.headers['user-agent'] ?? '')) {
    const body = 'Please set a user-agent and respect our robot policy https://w.wiki/4wJS.\n'
    return { status: 403, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body }
  }
  if (state.mode === 'database-down') return databaseDown()
  if (state.mode === 'html')
    return htmlPage(200, '<!DOCTYPE html>\n<html><head><title>Wikimedia Error</title></head><body><h1>Error</h1></body></html>')
  if (pathname === '/w/index.php' || pathname.startsWith('/wiki/')) {
    return showPage(state, normalTitle(searchParams.get('title') ?? decodeURIComponent(pathname.slice('/wiki/'.length))))
  }
  if (pathname !== '/w/api.php') return htmlPage(404, '<!DOCTYPE html><title>Not Found</title>')
  const params = new URLSearchParams([...searchParams, ...new URLSearchParams(request.body.toString())])
  if (params.get('format') !== 'json')
    return htmlPage(200, '<!DOCTYPE html>\n<html><head><title>MediaWiki API result</title></head></html>')
  const given = callApi(state, params, url)
  return state.mode === 'truncated' ? { ...given, body: given.body.slice(0, given.body.length / 2) } : given
}

function callApi({ pages }: WikiState, params: URLSearchParams, url: string): Answer {
  const version = params.get('formatversion') ?? '1'
  const fail = (code: string, info: string) => {
    const docref = `See ${url}/w/api.php for API usage.`
    return json(200, { error: { code, info, [version === '1' ? '*' : 'docref']: docref } }, { 'MediaWiki-API-Error': code })
  }
  if (!['1', '2', 'latest'].includes(version)) return fail('badvalue', `Unrecognized value for parameter "formatversion": ${version}.`)
  const call = { pages, params, old: version === '1', fail }
  const action = params.get('action')
  if (action === 'parse') return parse(call)
  if (action === 'query') return query(call)
  return fail('badvalue', `Unrecognized value for parameter "action": ${action}.`)
}

type Call = { pages: Pages; params: URLSearchParams; old: boolean; fail: (code: string, info: string) => Answer }

function parse({ pages, params, old, fail }: Call): Answer {
  const asked = params.get('page')
  const props = (params.get('prop') ?? '').split('|')
  const tree = (xml: string) => (props.includes('parsetree') ? { parsetree: old ? { '*': xml } : xml } : {})
  const unknown = props.filter((prop) => prop !== '' && !['parsetree', 'revid', 'wikitext', 'sections'].includes(prop))
  const words = `Unrecognized value for parameter "prop": ${unknown.join(', ')}`
  const warnings = unknown.length > 0 ? { warnings: { parse: { [old ? '*' : 'warnings']: words } } } : {}
  if (asked === null) return json(200, { ...warnings, parse: { title: 'API', pageid: 0, ...tree(parseTree(params.get('text') ?? '')) } })
  if (asked.trim() === '' || invalidCharacter(asked)) return fail('invalidtitle', `Bad title "${asked}".`)
  const { page, redirects } = findPage(pages, asked, params.has('redirects'))
  if (!page) return fail('missingtitle', "The page you specified doesn't exist.")
  const { title, pageid, revid } = page
  const parsed = {
    title,
    pageid,
    ...(props.includes('revid') && { revid }),
    ...(params.has('redirects') && { redirects }),
    ...tree(page.tree ?? parseTree(page.text)),
    ...(props.includes('wikitext') && { wikitext: old ? { '*': page.text } : page.text }),
  }
  return json(200, { ...warnings, parse: parsed })
}

function query({ pages, params, old }: Call): Answer {
  const props = (params.get('prop') ?? '').split('|')
  const ids = (params.get('rvprop') ?? 'ids|timestamp|flags|comment|user').split('|')
  const asked = (params.get('titles') ?? '').split('|').filter((title) => title !== '')
  const found = asked.map((title) => ({ title, ...findPage(pages, title, params.has('redirects')) }))
  const redirects = found.flatMap((one) => one.redirects)
  const shown = found.map(({ title, page }) => {
    const character = invalidCharacter(title)
    const flag = old ? '' : true
    if (character) return { title, invalidreason: `The requested page title contains invalid characters: "${character}".`, invalid: flag }
    if (!page) return { ns: 0, title: normalTitle(title), missing: flag }
    const { pageid, revid, parentid, timestamp, text } = page
    const content = { slots: { main: { contentmodel: 'wikitext', contentformat: 'text/x-wiki', [old ? '*' : 'content']: text } } }
    const revision = {
      ...(ids.includes('ids') && { revid, parentid }),
      ...(ids.includes('timestamp') && { timestamp }),
      ...(ids.includes('content') && content),
    }
    const info = { contentmodel: 'wikitext', pagelanguage: 'en', touched: timestamp, lastrevid: revid, length: Buffer.byteLength(text) }
    return {
      pageid,
      ns: 0,
      title: page.title,
      ...(props.includes('revisions') && { revisions: [revision] }),
      ...(props.includes('info') && info),
    }
  })
  const list = old ? Object.fromEntries(shown.map((page, index) => ['pageid' in page ? page.pageid : -1 - index, page])) : shown
  return json(200, { batchcomplete: old ? '' : true, query: { ...(redirects.length > 0 && { redirects }), pages: list } })
}

function invalidCharacter(title: string): string | undefined {
  return /[<>[\]{}|#]/.exec(title)?.[0]
}

function databaseDown(): Answer {
  const words = '[5fcafff9d66b11c472df4456] Caught exception of type Wikimedia\\Rdbms\\DBConnectionError'
  const error = { code: 'internal_api_error_DBConnectionError', info: words, errorclass: 'Wikimedia\\Rdbms\\DBConnectionError' }
  return htmlPage(
    500,
    `${JSON.stringify({ error })}<!DOCTYPE html>\n<html><head><title>MediaWiki</title></head><body><h1>Sorry! This site is experiencing technical difficulties.</h1></body></html>`,
  )
}

async function showPage({ pages }: WikiState, title: string): Promise<Answer> {
  const { page } = findPage(pages, title, true)
  return page ? htmlPage(200, await wikiPage(page)) : htmlPage(404, '<!DOCTYPE html><title>There is currently no text in this page</title>')
}
