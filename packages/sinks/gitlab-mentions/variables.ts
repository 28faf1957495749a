// The wiki with the reviewers page, as sinks declare it.
import { z } from 'zod'
import { webAddress, wholeNumber } from '#shared/process/env.ts'
import { variable } from '#sinks/variables.ts'

export const wikiVariables = {
  REVIEWERS_API_URL: variable(webAddress.default('https://www.mediawiki.org/w/api.php')),
  REVIEWERS_PAGE: variable(z.string().default('Git/Reviewers')),
  REVIEWERS_MAX_AGE: variable(wholeNumber(0, 300).default(120)),
}

export const wikiName = { name: 'wiki', title: 'The wiki' }
export const wikiRemote = { ...wikiName, at: ({ REVIEWERS_API_URL }: { REVIEWERS_API_URL?: string }) => REVIEWERS_API_URL }
