// `bin/dev`: the whole service on this machine, with the sandbox's remotes, and a look at what becomes of one sample.
import { join } from 'node:path'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
import { demoProject, seed } from '../sandbox/seed.ts'
import { forAddedSinks } from './added-sinks.ts'
import { readFeed } from './feed.ts'
import { hookText } from './fixtures.ts'
import { startMariaDb, startRedis } from './servers.ts'
import { type Environment, environmentFor, sourceToken, startReady } from './service.ts'
import { until } from './until.ts'

const once = process.argv.includes('--once')
const releases: Array<() => unknown> = []
let stopped: Promise<void> | undefined

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(once ? 130 : 0))

try {
  const sandbox = await startSandbox({ port: Number(process.env.SANDBOX_PORT ?? 0) })
  seed(sandbox)
  releases.push(() => sandbox.close())
  const { url, environment } = await startService(sandbox)
  await showSample(sandbox, url)
  if (once) await stop(0)
  print('And now', {
    'another hook': `curl -X POST ${url}/hooks -H 'X-Gitlab-Token: ${sourceToken}' -d @test/fixtures/hooks/merge-request-merge.json`,
    'the feed': `curl -N ${url}/sse/`,
    'what arrived': sandbox.url,
    'a worker of your own beside it': `${assignments(environment)} node apps/worker/main.ts`,
    'stop all': 'Ctrl-C',
  })
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  await stop(1)
}

async function startService(sandbox: Sandbox): Promise<{ url: string; environment: Environment }> {
  const [redis, mariadb] = await Promise.all([given('REDIS_URL') ?? startRedis(), given('DATABASE_URL') ?? startMariaDb()])
  releases.push(() => Promise.all([redis.stop(), mariadb.stop()]))

  const own = environmentFor({ sandbox, redisUrl: redis.url, databaseUrl: mariadb.url })
  const environment: Environment = {
    ...own,
    ...forAddedSinks(process.env, own),
    REDIS_PREFIX: process.env.REDIS_PREFIX ?? 'gitlab-webhooks-dev',
    PORT: process.env.PORT ?? '0',
    REVIEWERS_MAX_AGE: '5',
    ...('directory' in redis && { SPOOL_DIR: join(redis.directory, 'spool') }),
  }
  const [worker, ingest] = await Promise.all([startReady('worker', environment), startReady('ingest', environment)])
  releases.push(() => Promise.all([worker.stop(), ingest.stop()]))
  const url = `http://127.0.0.1:${ingest.port()}`
  print('Where things are', {
    hooks: `${url}/hooks`,
    feed: `${url}/sse/`,
    'operator’s page': `http://127.0.0.1:${worker.port()}/`,
    'command line': `REDIS_URL=${redis.url} REDIS_PREFIX=${environment.REDIS_PREFIX} DATABASE_URL=${mariadb.url} bin/ops status`,
    metrics: `${url}/metrics, http://127.0.0.1:${worker.port()}/metrics`,
    'sandbox of GitLab, Phabricator and the wiki': sandbox.url,
    redis: redis.url,
    database: mariadb.url,
  })
  return { url, environment }
}

function given(variable: string): { url: string; stop: () => void } | undefined {
  const url = process.env[variable]
  return url ? { url, stop: () => undefined } : undefined
}

async function showSample(sandbox: Sandbox, url: string): Promise<void> {
  const feed = await readFeed(`${url}/sse/`)
  releases.push(feed.close)
  const answer = await fetch(`${url}/hooks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-gitlab-token': sourceToken, 'idempotency-key': `sample-${Date.now()}` },
    body: hookText('merge-request-open', sandbox.gitlab.url),
  })
  print('A merge request is opened', { 'POST /hooks': `${answer.status} ${await answer.text()}` })

  const comments = (task: number) => sandbox.phabricator.comments(task)
  const note = () => sandbox.gitlab.mergeRequest(demoProject.id, 1)?.notes.find(({ author }) => author === sandbox.gitlab.state.bot)
  const [first, second, written, message] = await Promise.all([
    until(() => comments(1)[0], 'task T1 has a comment'),
    until(() => comments(2)[0], 'task T2 has a comment'),
    until(note, 'the merge request has a note'),
    until(() => feed.messages[0], 'the feed has a message'),
  ])
  print('What came of it', {
    [`comment on ${sandbox.phabricator.url}/T1`]: first,
    [`comment on ${sandbox.phabricator.url}/T2`]: second,
    [`note on ${sandbox.gitlab.url}/${demoProject.path}/-/merge_requests/1`]: written.body,
    [`message ${message.id} on ${url}/sse/`]: `${message.data.slice(0, 200)}…`,
  })
}

function assignments(environment: Environment): string {
  return Object.entries(environment)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
}

function print(title: string, parts: Record<string, string>): void {
  console.log(`\n${title}`)
  for (const [name, text] of Object.entries(parts))
    console.log(text.includes('\n') ? `  ${name}:\n${indented(text)}` : `  ${name}: ${text}`)
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '    ')
}

async function stop(code: number): Promise<void> {
  stopped ??= (async () => {
    for (const release of releases.reverse()) await release()
    process.exit(code)
  })()
  await stopped
}
