// A spool file that cannot be read is said aloud and stops nothing; when it can be read after all it is handed over.
import assert from 'node:assert/strict'
import { renameSync, rmdirSync } from 'node:fs'
import { mkdir, readFile, rmdir, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { record } from '../../apps/ingest/spool/record.ts'
import type { Process } from '../support/service.ts'
import { until } from '../support/until.ts'
import { ask, queued, records, scene, sendAll } from './spool-scene.ts'

const name = (host: string, time: number) => `${host}.1.0000.${time}-000000-0000.spool`
const recorded = (id: string) => record({ id, receivedAt: new Date().toISOString(), headers: {}, body: '{}' })
const unreadable = async (ingest: Process) =>
  /^gitlab_webhooks_spool_unreadable_files (\d+)$/m.exec((await ask(ingest, '/metrics')).text)?.[1]

async function leave(path: string, text: Buffer): Promise<void> {
  await writeFile(path, text)
  await utimes(path, 0, 0)
}

scene('a directory that is named like a spool file stops nobody, is told, and goes on being looked at', async (play) => {
  const blocked = join(play.spool, name('host-a', 1_790_000_000_000))
  await mkdir(blocked)
  await utimes(blocked, 0, 0)
  await leave(join(play.spool, name('host-b', 1_790_000_000_001)), recorded('readable'))
  const redis = await play.startRedisThere()
  const ingest = await play.start()
  await sendAll(ingest, ['new'])
  await until(async () => (await queued(redis)).length === 2, 'the others are in Redis')
  assert.deepEqual(await queued(redis), ['readable', 'new'])
  assert.equal(await unreadable(ingest), '1')
  await until(() => ingest.text().includes('cannot read a spool file'), 'that is said')
  assert.ok((await stat(blocked)).isDirectory())

  await rmdir(blocked)
  await leave(blocked, recorded('late'))
  await until(async () => (await queued(redis)).includes('late'), 'it has been tried again')
  await until(async () => (await unreadable(ingest)) === '0', 'nothing is unreadable any more')
  assert.deepEqual(await records(play.spool), [])
})

scene('a file that becomes unreadable while it waits stops neither the older nor the newer ones', async (play) => {
  for (const [at, id] of ['first', 'second', 'third'].entries())
    await leave(join(play.spool, name('host', 1_790_000_000_000 + at)), recorded(id))
  const ingest = await play.start()
  await sendAll(ingest, ['own'])
  const taken = (await records(play.spool)).find((one) => one.includes('1790000000001')) ?? ''
  const path = join(play.spool, taken)
  const bytes = await readFile(path)
  await unlink(path)
  await mkdir(path)
  const redis = await play.startRedisThere()
  await until(async () => (await queued(redis)).length === 3, 'the others are in Redis')
  assert.deepEqual(await queued(redis), ['first', 'third', 'own'])
  await sendAll(ingest, ['through'])
  assert.equal((await queued(redis)).at(-1), 'through')
  assert.equal(await unreadable(ingest), '1')

  // At once: a file of its own that is gone is one that somebody has taken away, and is not looked for again.
  await writeFile(`${path}.again`, bytes)
  rmdirSync(path)
  renameSync(`${path}.again`, path)
  await until(async () => (await queued(redis)).includes('second'), 'it has been tried again')
})
