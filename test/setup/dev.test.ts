// `bin/dev` as a newcomer runs it. What it leaves behind is looked for by an environment variable that only it has.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { until } from '../support/until.ts'
import { processesOf } from './processes.ts'

const root = new URL('../../', import.meta.url).pathname
const skip = process.platform === 'linux' ? false : 'looks into /proc'

async function startDev() {
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-dev-'))
  const mark = basename(directory)
  const env = { ...process.env, TMPDIR: directory, REDIS_PREFIX: mark, REDIS_URL: '', DATABASE_URL: '', NODE_TEST_CONTEXT: '' }
  const child = spawn(`${root}bin/dev`, ['--once'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (text += bytes.toString()))
  return { child, directory, mark, text: () => text, exit: once(child, 'close') }
}

type Dev = Awaited<ReturnType<typeof startDev>>

async function leavesNothing({ directory, mark }: Dev): Promise<void> {
  await until(async () => (await processesOf(mark)).length === 0, 'all its processes are gone')
  await until(async () => (await readdir(directory)).length === 0, 'all its directories are gone')
  await rmdir(directory)
}

test('bin/dev --once shows what comes of a merge request and leaves nothing behind', { skip }, async () => {
  const dev = await startDev()
  await until(async () => (await processesOf(dev.mark)).length > 5, 'its processes can be seen')
  assert.deepEqual(await dev.exit, [0, null], dev.text())
  assert.match(dev.text(), /POST \/hooks: 202 /)
  assert.match(dev.text(), /comment on \S+\/T1:\n.* opened http/)
  assert.match(dev.text(), /note on \S+: .*@bob @carol/)
  assert.match(dev.text(), /message \d+-\d+ on \S+\/sse\/: \{/)
  await leavesNothing(dev)
})

test('bin/dev --help says how it is used, and starts nothing; so does a word that it does not know, with 2', () => {
  const run = (word: string) => spawnSync(`${root}bin/dev`, [word], { encoding: 'utf8' })
  const help = run('--help')
  assert.deepEqual([help.status, help.stderr], [0, ''])
  assert.match(help.stdout, /^Usage: bin\/dev \[--once\]\n/)
  const wrong = run('--twice')
  assert.deepEqual([wrong.status, wrong.stdout], [2, ''])
  assert.match(wrong.stderr, /^--twice: unknown\nUsage: /)
})

const moments = {
  'while MariaDB is installed': (dev: Dev) =>
    readdir(dev.directory).then((names) => names.some((name) => existsSync(join(dev.directory, name, 'data')))),
  'when all is running': (dev: Dev) => dev.text().includes('Where things are'),
}
for (const [when, isNow] of Object.entries(moments)) {
  for (const [signal, expected] of [
    ['SIGKILL', [null, 'SIGKILL']],
    ['SIGINT', [130, null]],
  ] as const) {
    test(`bin/dev leaves nothing behind when it gets a ${signal} ${when}`, { skip }, async () => {
      const dev = await startDev()
      await until(() => isNow(dev), when)
      dev.child.kill(signal)
      assert.deepEqual(await dev.exit, expected, dev.text())
      await leavesNothing(dev)
    })
  }
}
