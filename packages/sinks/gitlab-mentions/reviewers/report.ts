// Tells what is wrong with the reviewers page, in the log and as a metric. Anybody can edit the page, so no more is told
// at once than somebody would read.
import { Counter } from 'prom-client'
import type { Log } from '#shared/process/log.ts'
import type { Registry } from '#shared/process/metrics.ts'
import type { Problem } from './page.ts'

/** Reports `problems` that came up in `where`, such as the page's name or a project. */
export type Report = (where: string, problems: Problem[]) => void

const mostLines = 20

export function reporter({ log, metrics }: { log: Log; metrics: Registry }): Report {
  const mistakes = new Counter({
    name: 'gitlab_webhooks_reviewers_page_mistakes_total',
    help: 'Entries of the reviewers page that match nobody because of a mistake in them, each time one was met.',
    registers: [metrics],
  })
  return function report(where, problems) {
    mistakes.inc(problems.length)
    for (const problem of problems.slice(0, mostLines)) log.warn({ where, ...problem }, 'a mistake on the reviewers page')
    if (problems.length > mostLines) log.warn({ where, more: problems.length - mostLines }, 'more mistakes on the reviewers page')
  }
}
