// A run of tests ends, whatever its tests do, and takes everything along that they have started.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { bareEnvironment } from '../support/bare.ts'
import { freePort } from '../support/ports.ts'
import { until } from '../support/until.ts'
import { processesOf } from './processes.ts'

const support = new URL('../support/', import.meta.url).pathname
const skip = process.platform === 'linux' ? false : 'looks into /proc'

const failing = (port: number, mark: string) => `
import { createServer } from 'node:net'
import { test } from 'node:test'
import { typeOps } from '${support}ops.ts'
import { until } from '${support}until.ts'
test('a test that fails while things are under way', async () => {
  createServer().listen()
  const nowhere = { REDIS_URL: 'redis://127.0.0.1:${port}', DATABASE_URL: 'mysql://root@127.0.0.1:${port}/none' }
  const typed = typeOps({ ...nowhere, PHABRICATOR_TOKEN: 'none', GITLAB_TOKEN: 'none', MARK: '${mark}' }, 'status', '--watch')
  await until(() => typed.out().split('database').length > 2, 'it was told twice')
  console.log('it was told twice')
  await until(() => typed.out().includes('never told'), 'what is never told was told', 100)
})`

test('a run whose test fails while a command goes on for ever, and a server listens, ends and leaves nothing', { skip }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-ends-'))
  const mark = basename(directory)
  const file = join(directory, 'fails.test.ts')
  await writeFile(file, failing(await freePort(), mark))
  const env = bareEnvironment({ DATABASE_URL: 'mysql://none' })
  const run = spawn(process.execPath, [`${support}run.ts`, file], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  run.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()))
  try {
    assert.deepEqual(await once(run, 'close'), [1, null])
    assert.match(said, /it was told twice\n[\s\S]*until what is never told was told/)
    await until(async () => (await processesOf(mark)).length === 0, 'the command has been killed')
  } finally {
    run.kill('SIGKILL')
    await rm(directory, { recursive: true })
  }
})
