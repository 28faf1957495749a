// What a page says that came instead of an answer: a wrong host, a proxy or a login page says best itself what it is.
import type { Answer } from './http.ts'

const looked = 10_000
const longest = 120
const unseen = /<(script|style)\b[\s\S]*?<\/\1>|<!--[\s\S]*?-->|<[^>]*>/gi

/** `: "…"` with the title of the page, or else its first words; empty when it says nothing. Secrets are taken out by `redact`. */
export function wordsOfPage({ text }: Answer, redact: (text: string) => string = (said) => said): string {
  const page = text.slice(0, looked).trim()
  if (!page.startsWith('<')) return ''
  const title = /<title[^>]*>([^<]*)/i.exec(page)?.[1]?.trim()
  const words = redact((title || page.replaceAll(unseen, ' ')).replaceAll(/\s+/g, ' ').trim()).replaceAll('"', "'")
  if (words === '') return ''
  return `: "${words.length > longest ? `${words.slice(0, longest)}…` : words}"`
}
