// Words that cannot be used: one clear sentence on stderr, exit 2, and nothing has been changed.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { program } from '../../apps/ops/program.ts'
import { BadUsage } from '../../apps/ops/usage.ts'
import { bareEnvironment } from '../support/bare.ts'
import { ops, typeOps } from '../support/ops.ts'

const id = 'a-delivery/phabricator/T1'
const group = '0123456789ab'

// Nothing is there to connect to: what is looked at before the words are read would exit with 1.
const environment = { REDIS_URL: 'redis://127.0.0.1:1', DATABASE_URL: 'mysql://root@127.0.0.1:1/nothing' }
Object.assign(process.env, environment)

const mistyped: Array<[words: string[], says: RegExp]> = [
  [['frobnicate'], /unknown command 'frobnicate'/],
  [['status', '--frobnicate'], /unknown option '--frobnicate'/],
  [['dead', 'frobnicate'], /too many arguments/],
  [['import'], /missing required argument 'file'/],
  [['resume'], /missing required argument 'sink'/],
  [['tail', '--task', 'T1'], /unknown option '--task'/],
  [['replay', '--limit', '5'], /^Name ids, or choose some with a filter\.$/],
]

const bad: Array<[words: string[], says: RegExp]> = [
  [['replay'], /^Name ids, or choose some with a filter\.$/],
  [['replay', '--limit', '5'], /^Name ids, or choose some with a filter\.$/],
  [['replay', ''], /^An id is empty\.$/],
  [['replay', id, '--sink', 'sse'], /^Name ids, or choose with filters, but not both\.$/],
  [['replay', '--group', group, '--error', group], /^Give --group or --error, but not both\.$/],
  [['replay', '--group', 'nonsense'], /^--group: expected the id of an error group/],
  [['replay', '--id', ''], /^--id: expected something, but it is empty$/],
  [['discard', '--kind', ''], /^--kind: expected something, but it is empty$/],
  [['redeliver', '--project', ' '], /^--project: expected something, but it is empty$/],
  [['discard', '--text', ''], /^--text: expected words/],
  [['redeliver', ''], /^An id is empty\.$/],
  [['replay', '--state', 'done'], /^--state: only dead letters can be replayed or discarded$/],
  [['discard', '--sink', 'sse', '--state', 'planned'], /^--state: only dead letters can be replayed or discarded$/],
  [['replay', '--sink', 'nonsense'], /^--sink: expected one of phabricator, /],
  [['replay', id, '--rate', '0'], /^--rate: expected a number from 0\.1 to 1000/],
  [['replay', id, '--rate', 'fast'], /^--rate: expected a number from 0\.1 to 1000/],
  [['import', 'events.log', '--dry-run', '--rate', '0'], /^--rate: expected a number from 0\.1 to 1000/],
  [['discard', '--group', group, '--error', group], /^Give --group or --error, but not both\.$/],
  [['discard'], /^Name ids, or choose some with a filter\.$/],
  [['redeliver', '--since', 'yesterday'], /^--since: expected ISO 8601/],
  [['redeliver', '--mr', 'nonsense'], /^--mr: expected <project path>!<number>/],
  [['redeliver'], /^Name ids, or choose some with a filter\.$/],
  [['pause', 'nonsense', '--reason', 'tea'], /^nonsense: expected one of phabricator, commits, gitlab-mentions, sse$/],
  [['redeliver', '--since', '2026-11-23 junk'], /^--since: expected ISO 8601/],
  [['redeliver', '--since', '2026-02-31'], /^--since: expected ISO 8601/],
  [['canary', '--timeout', 'abc'], /^--timeout: expected a number of seconds from 1 to 3600$/],
  [['tail', '--sink', 'phabricator'], /^--sink: the feed is what the sink sse makes: expected sse$/],
  [['audit', '--limit', '0'], /^--limit: expected a whole number from 1/],
]

const looking = ['status', 'deliveries', 'explain', 'audit', 'tail', 'doctor', 'canary', 'dead', 'token', 'help']
const changing = [
  ['replay', id],
  ['replay', '--sink', 'sse'],
  ['discard', id],
  ['redeliver', 'a-delivery'],
  ['import', 'events.log'],
  ['reconcile', '--since', '6h'],
  ['pause', 'sse'],
  ['resume', 'sse'],
  ['token', 'rotate'],
  ['prune'],
  ['acknowledge', 'a-loss'],
]
const dry = [
  ['replay', id, '--dry-run'],
  ['discard', id, '--dry-run'],
  ['redeliver', 'a-delivery', '--dry-run'],
  ['import', 'events.log', '--dry-run'],
  ['reconcile', '--since', '6h', '--dry-run'],
  ['prune', '--dry-run'],
]

test('whatever changes something wants a reason, and exits with 2 without one; what only looks wants none', async () => {
  const { out: help } = await ops(environment, '--help')
  const verbs = new Set([...help.matchAll(/^ {2}([a-z]+) /gm)].map(([, verb]) => verb))
  assert.deepEqual(verbs, new Set([...looking, ...changing.map(([verb]) => verb)]), 'each verb is known to look or to change')
  const wordless = changing.flatMap((words) => [words, [...words, '--reason', ' ']])
  for (const words of wordless)
    await assert.rejects(
      type(words),
      (error) => error instanceof BadUsage && error.message === '--reason: say why, for the record',
      words.join(' '),
    )
  // As far as to Redis, which is away.
  for (const words of [...dry, ...changing.map((words) => [...words, '--reason', 'to be sure'])])
    await assert.rejects(type(words), { name: 'Unavailable', message: 'Redis does not answer at 127.0.0.1:1.' }, words.join(' '))
  const { code, out, err } = await ops(environment, 'discard', id)
  assert.deepEqual([code, out, err], [2, '', '--reason: say why, for the record\n'])
})

// The same words, but read in this process.
async function type(words: string[]): Promise<void> {
  await program().parseAsync(words, { from: 'user' })
}

test('bad words exit with 2 and say what was expected', async () => {
  for (const [words, says] of bad)
    await assert.rejects(type(words), (error) => error instanceof BadUsage && says.test(error.message), words.join(' '))
  const said = await Promise.all(mistyped.map(([words]) => ops(environment, ...words)))
  for (const [at, { code, out, err }] of said.entries()) {
    assert.deepEqual([code, out], [2, ''], err)
    assert.match(err.trim(), mistyped[at]?.[1] ?? /^$/)
  }
})

test('good words with nothing to connect to exit with 1, and a bad configuration with 78', async () => {
  const away = await typeOps(environment, 'replay', id, '--reason', 'repaired').said
  assert.equal(away.code, 1)
  assert.match(away.err, /Redis does not answer at 127\.0\.0\.1:1/)
  // The forms of a time that are understood get as far as that.
  for (const time of ['2026-11-23', '2026-11-23T10:00', '2026-11-23T10:00:30.5+02:00', '2h'])
    await assert.rejects(type(['redeliver', '--since', time, '--reason', 'lost']), { name: 'Unavailable' }, time)
  const tail = await typeOps(environment, 'tail').said
  assert.deepEqual([tail.code, tail.err], [1, 'Redis does not answer at 127.0.0.1:1.\n'])
  assert.equal((await typeOps({ ...environment, REDIS_PREFIX: '?' }, 'replay', id, '--reason', 'repaired').said).code, 78)
})

test('it can be called by a link from elsewhere', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-link-'))
  try {
    const binary = fileURLToPath(new URL('../../bin/ops', import.meta.url))
    await symlink(relative(await realpath(directory), binary), join(directory, 'first'))
    await symlink('first', join(directory, 'second'))
    const { stdout } = await promisify(execFile)(join(directory, 'second'), ['--help'], { env: bareEnvironment({}) })
    assert.match(stdout, /^Usage: bin\/ops /)
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('help and its examples come on stdout, with 0', async () => {
  for (const words of [['--help'], ['replay', '--help'], ['help', 'doctor']]) {
    const { code, out, err } = await ops(environment, ...words)
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /^Usage: bin\/ops /)
  }
  assert.match((await ops(environment, '--help')).out, /Examples:\n {2}bin\/ops doctor/)
})
