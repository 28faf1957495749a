// What both processes say and do when their environment cannot be used.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readEnvironment } from '#shared/process/env.ts'
import { configSchema } from '../../apps/worker/config.ts'
import { type Environment, startProcess } from '../support/service.ts'

type Case = { app: 'ingest' | 'worker'; what: string; environment: Environment; names: Record<string, RegExp> }

const nowhere = { REDIS_URL: 'redis://127.0.0.1:1', DATABASE_URL: 'mysql://root@127.0.0.1:1/x' }
const tokens = { PHABRICATOR_TOKEN: 'hush-1', GITLAB_TOKEN: 'hush-2' }

const cases: Case[] = [
  { app: 'ingest', what: 'with nothing set', environment: {}, names: { SOURCE_TOKEN: /X-Gitlab-Token/ } },
  { app: 'ingest', what: 'with an empty token', environment: { ...nowhere, SOURCE_TOKEN: '' }, names: { SOURCE_TOKEN: /required/ } },
  {
    app: 'ingest',
    what: 'with everything wrong',
    environment: {
      PORT: '70000',
      DEBUG: 'perhaps',
      REDIS_URL: 'redis//:hush@h',
      REDIS_PREFIX: 'pre:fix',
      LOG_EVENTS_TO: '/no/such/directory/x',
      SOURCE_TOKEN: ' ',
    },
    names: {
      PORT: /whole number from 0 to 65535, not "70000"$/,
      DEBUG: /true or false, not "perhaps"$/,
      REDIS_URL: /redis:\/\//,
      REDIS_PREFIX: /letters.*, not "pre:fix"$/,
      LOG_EVENTS_TO: /file that can be written/,
      SOURCE_TOKEN: /required/,
    },
  },
  {
    app: 'ingest',
    what: 'with replicas of a Cluster to wait for',
    environment: { SOURCE_TOKEN: 'hush-1', REDIS_URL: 'redis+cluster://127.0.0.1:1', REDIS_REPLICAS: '1' },
    names: { REDIS_REPLICAS: /another REDIS_URL than that of a Cluster/ },
  },
  {
    app: 'ingest',
    what: 'with one variable missing and others that do not fit together',
    environment: { SIGNATURE_REQUIRED: 'true', PORT: '70000', REDIS_URL: 'redis+cluster://127.0.0.1:1', REDIS_REPLICAS: '1' },
    names: { SOURCE_TOKEN: /required/, SIGNATURE_REQUIRED: /SOURCE_SIGNING_KEY beside it/, PORT: /65535/, REDIS_REPLICAS: /Cluster/ },
  },
  {
    app: 'worker',
    what: 'with nothing set',
    environment: {},
    names: { PHABRICATOR_TOKEN: /phabricator/, GITLAB_TOKEN: /gitlab-mentions/, DATABASE_URL: /mysql:\/\// },
  },
  {
    app: 'worker',
    what: 'with an unknown sink',
    environment: { ...nowhere, ...tokens, SINKS_ENABLED: 'sse, irc' },
    names: { SINKS_ENABLED: /phabricator, gitlab-mentions, sse, with commas between, not "irc"$/ },
  },
  {
    app: 'worker',
    what: 'with everything wrong',
    environment: {
      ...tokens,
      REDIS_URL: 'redis://:hush%zz@h',
      DATABASE_URL: 'mysql://root:hush@h:99999/x',
      GITLAB_URL: 'nonsense',
      PHABRICATOR_URL: 'ftp://nonsense',
      REVIEWERS_API_URL: 'https://me:hush@wiki.example',
      REVIEWERS_MAX_AGE: '301',
      DRY_RUN: 'perhaps',
      FEED_PRIVATE: 'perhaps',
      OPS_HOST: '0.0.0.0',
      OPS_PORT: '8001',
    },
    names: {
      REDIS_URL: /redis:\/\//,
      DATABASE_URL: /mysql:\/\//,
      GITLAB_URL: /https:/,
      PHABRICATOR_URL: /https:/,
      REVIEWERS_API_URL: /without user name, blanks or escapes$/,
      REVIEWERS_MAX_AGE: /from 0 to 300/,
      DRY_RUN: /true or false/,
      FEED_PRIVATE: /true or false/,
      OPS_TOKEN: /loopback/,
    },
  },
  {
    app: 'worker',
    what: 'with an operator listener for everybody and no token',
    environment: { ...nowhere, ...tokens, OPS_HOST: '::', OPS_PORT: '0' },
    names: { OPS_TOKEN: /required/ },
  },
]

for (const { app, what, environment, names } of cases) {
  test(`${app} ${what} exits 78, and says of each wrong variable what was expected`, async () => {
    const started = startProcess(app, environment)
    assert.equal(await started.exit, 78)
    const [title, ...mistakes] = started.text().trimEnd().split('\n')
    assert.equal(title, 'The configuration cannot be used:')
    assert.deepEqual(mistakes.map((line) => /^ {2}(\w+): /.exec(line)?.[1] ?? '').toSorted(), Object.keys(names).toSorted())
    for (const [name, expected] of Object.entries(names)) assert.match(mistakes.find((line) => line.includes(`${name}: `)) ?? '', expected)
    assert.ok(!started.text().includes('hush'), 'no secret is printed')
  })
}

test('a sink that is not enabled needs no credential', async () => {
  const started = startProcess('worker', { DATABASE_URL: 'nowhere', SINKS_ENABLED: 'sse' })
  assert.equal(await started.exit, 78)
  assert.doesNotMatch(started.text(), /TOKEN/)
})

test('on every address of the loopback the operator’s page needs no token, elsewhere it does', () => {
  const read = (OPS_HOST: string) => readEnvironment(configSchema, { ...nowhere, SINKS_ENABLED: 'sse', OPS_HOST, OPS_PORT: '0' })
  for (const host of ['127.0.0.1', '127.8.9.10', '::1', 'LocalHost']) assert.equal(read(host).ops?.host, host)
  for (const host of ['0.0.0.0', '::', '10.127.0.1', '127.0.0.1.example.org', 'localhost.example.org', '::10'])
    assert.throws(() => read(host), /^BadConfiguration: OPS_TOKEN: is required when OPS_HOST is not a loopback address$/, host)
})
