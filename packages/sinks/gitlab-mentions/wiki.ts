// The reviewers page of a MediaWiki, through `action=parse&prop=parsetree`: kept for a short while, and the last good
// copy served while the wiki is away. MediaWiki tells its errors with status 200, and some failures as JSON with HTML.
import { z } from 'zod'
import { inWords, Unavailable } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import { type Answer, exchange, jsonIn, TooLarge } from '#sinks/http/http.ts'
import { noteUse } from '#sinks/http/last-use.ts'
import { wordsOfPage } from '#sinks/http/words-of-page.ts'
import { NotAPage, parseInTurns, parsePage, type ReviewersPage } from './reviewers/page.ts'
import type { Report } from './reviewers/report.ts'
import { wikiName } from './variables.ts'

// How long the last good copy serves before a wiki that is away is asked again.
const askAgainMs = 30_000
const sizeLimit = 16 * 1024 * 1024

export type Wiki = {
  /** The reviewers page as it is, or was not long ago. Throws `Unavailable` when the wiki never answered. */
  reviewers: (signal: AbortSignal) => Promise<ReviewersPage>
  /** The page's address for people. */
  link: string
}

const answerSchema = z.object({
  parse: z.object({ parsetree: z.union([z.string(), z.object({ '*': z.string() }).transform((tree) => tree['*'])]) }).optional(),
  error: z.object({ code: z.string(), info: z.string().optional() }).optional(),
})

const down = { remote: wikiName.name }
// A page that is not there lists nobody; every other error is the wiki's, not the page's.
const missing = new Set(['missingtitle', 'nosuchpageid', 'pagecannotexist'])

type Options = { apiUrl: string; page: string; maxAge: number; report: Report; log: Log }

/** The wiki whose `api.php` is at `apiUrl`. A copy of the page is used for `maxAge` ms before it is asked for again. */
export function openWiki({ apiUrl, page, maxAge, report, log }: Options): Wiki {
  let copy: { page: ReviewersPage; until: number } | undefined
  let asking: { answer: Promise<ReviewersPage>; signal: AbortSignal } | undefined

  async function ask(signal: AbortSignal): Promise<ReviewersPage> {
    const query = new URLSearchParams({
      action: 'parse',
      page,
      prop: 'parsetree|revid',
      redirects: '1',
      format: 'json',
      formatversion: '2',
    })
    const { said, json } = await fetchJson(`${apiUrl}?${query.toString()}`, signal)
    const answer = answerSchema.safeParse(json)
    if (said.status !== 200 || !answer.success)
      throw new Unavailable(`The wiki answers ${said.status} without the page${wordsOfPage(said)}.`, down)
    const { parse, error } = answer.data
    if (error && missing.has(error.code)) return { ...parsePage('<root/>'), missing: true }
    if (!parse) throw new Unavailable(`The wiki says ${error?.code ?? 'nothing'}: ${said.headers.get('mediawiki-api-error') ?? ''}`, down)
    return await read(parse.parsetree)
  }

  async function refresh(signal: AbortSignal): Promise<ReviewersPage> {
    try {
      const fresh = await ask(signal)
      report(page, fresh.problems)
      copy = { page: fresh, until: Date.now() + maxAge }
      return fresh
    } catch (error) {
      if (signal.aborted) throw error
      noteUse(wikiName.name, inWords(error))
      if (!copy) throw error
      log.warn({ page, reason: inWords(error) }, 'using the last good copy of the reviewers page')
      copy.until = Date.now() + Math.min(maxAge, askAgainMs)
      return copy.page
    } finally {
      asking = undefined
    }
  }

  return {
    async reviewers(signal) {
      for (;;) {
        if (copy && Date.now() < copy.until) return copy.page
        asking ??= { answer: refresh(signal), signal }
        const { answer, signal: asker } = asking
        try {
          return await answer
        } catch (error) {
          // Whoever asked for all has given up; that is no answer to the others.
          if (!asker.aborted || signal.aborted) throw error
        }
      }
    },
    link: new URL(`index.php?title=${encodeURI(page)}`, apiUrl).href,
  }
}

// Anybody can make the page too large for us. That is no fault of whoever waits to be mentioned.
async function fetchJson(url: string, signal: AbortSignal): Promise<{ said: Answer; json: unknown }> {
  try {
    const said = await exchange(wikiName, url, { signal, sizeLimit })
    return { said, json: jsonIn(said) }
  } catch (error) {
    if (error instanceof TooLarge) throw new Unavailable(error.message, down)
    throw error
  }
}

async function read(tree: string): Promise<ReviewersPage> {
  try {
    return await parseInTurns(tree)
  } catch (error) {
    if (error instanceof NotAPage) throw new Unavailable(`The wiki answers with half a page: ${inWords(error)}`, down)
    throw error
  }
}
