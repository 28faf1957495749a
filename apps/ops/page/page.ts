// The operator's page: what bin/ops shows and does, for a browser. Every answer has its headers, everything but the login
// form is behind the door, and every error is a page.
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Log } from '#shared/process/log.ts'
import type { Secret } from '#shared/process/secret.ts'
import type { Queues } from '#sinks/queues.ts'
import { assets } from './assets.ts'
import { audit } from './audit.ts'
import { board } from './board.ts'
import { dead } from './dead/dead.ts'
import { repair } from './dead/repair.ts'
import { deliveries } from './deliveries/deliveries.ts'
import { mergeRequest } from './deliveries/merge-request.ts'
import { story } from './deliveries/story.ts'
import { doctor } from './doctor.ts'
import { door } from './door/door.ts'
import type { Ended } from './door/ended.ts'
import type { Visited } from './door/visitor.ts'
import { harmlessPages, noStore, pageHeaders } from './headers.ts'
import { maintenance } from './maintenance/maintenance.ts'
import { overview } from './overview/overview.ts'
import type { PageContext } from './page-context.ts'
import { pause } from './pause.ts'
import { failure, refusal } from './refusal.ts'
import { replays } from './replays/replays.ts'
import { reviewers } from './reviewers.ts'

const mostBytes = 1_000_000

type Parts = {
  pageContext: PageContext
  queues: Queues
  host: string
  token: Secret | undefined
  readToken: Secret | undefined
  ended: Ended
  log: Log
}

/** All of the page, to be served on `host`; `token` is the OPS_TOKEN, `readToken` the OPS_READ_TOKEN. */
export function operatorPage({ pageContext, queues, host, token, readToken, ended, log }: Parts): Hono<Visited> {
  const app = new Hono<Visited>()
  app.onError(failure(log))
  app.use(pageHeaders, noStore, harmlessPages, bodyLimit({ maxSize: mostBytes }))
  app.route('/', assets())
  app.route('/', door({ host, token, readToken, ended, log }))
  for (const part of [overview, deliveries, mergeRequest, story, dead, repair, replays, maintenance, audit, doctor, reviewers, pause])
    app.route('/', part(pageContext))
  app.route('/', board(queues))
  app.all('*', (c) => refusal(c, 404, 'No such page', `There is nothing at ${c.req.path}.`))
  return app
}
