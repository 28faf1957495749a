// The file of a process's own that cannot be read any more, which no disk in good health gives: in its place stands one that
// is a directory.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pino } from 'pino'
import { adoptFiles } from '../../apps/ingest/spool/adopted.ts'
import { drainInto } from '../../apps/ingest/spool/drain.ts'
import { type SpoolFile, spoolFile } from '../../apps/ingest/spool/file.ts'
import { newName, newOwner } from '../../apps/ingest/spool/names.ts'
import { record } from '../../apps/ingest/spool/record.ts'
import { countWaiting } from '../../apps/ingest/spool/waiting.ts'
import { until } from '../support/until.ts'

test('when its own file cannot be read a process goes on in another one, and comes back to it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-drain-'))
  const owner = newOwner()
  const log = pino({ level: 'silent' })
  const stopped = new AbortController()
  const path = join(directory, newName(owner))
  await mkdir(path)

  const next = spoolFile(directory, owner)
  let isForgotten = false
  const own: SpoolFile = {
    ...next,
    current: () => (isForgotten ? next.current() : { path, end: 100 }),
    forget() {
      isForgotten = true
      return Promise.resolve()
    },
  }
  const adopted = adoptFiles({ directory, owner, log })
  const taken: string[] = []
  const handOver = ({ id }: { id: string }) => Promise.resolve(void taken.push(id))
  const parts = { own, adopted, waiting: countWaiting(() => undefined), signal: stopped.signal, log }
  const drain = drainInto(handOver, parts)
  const recorded = (id: string) => record({ id, receivedAt: new Date().toISOString(), headers: {}, body: '{}' })

  await drain()
  assert.match(adopted.unreadable()?.reason ?? '', /EISDIR/)
  await next.append(recorded('next'))
  await drain()
  assert.deepEqual(taken, ['next'])

  await rmdir(path)
  await writeFile(path, recorded('late'))
  await until(async () => {
    await adopted.look()
    await drain()
    return taken.includes('late')
  }, 'it has been tried again')
  assert.equal(adopted.unreadable(), undefined)
  stopped.abort()
  await next.close()
  await rm(directory, { recursive: true })
})
