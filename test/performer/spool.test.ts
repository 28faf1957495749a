// What the spool promises on disk: a whole record is never lost, nothing is acknowledged before it is there, and files
// change hands without loss.
import assert from 'node:assert/strict'
import { appendFileSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { pino } from 'pino'
import type { Delivery } from '#shared/event/delivery.ts'
import { spoolFile } from '../../apps/ingest/spool/file.ts'
import { newName, newOwner } from '../../apps/ingest/spool/names.ts'
import { findFiles, take } from '../../apps/ingest/spool/orphans.ts'
import { readRecords, record } from '../../apps/ingest/spool/record.ts'
import { openSpool } from '../../apps/ingest/spool/spool.ts'
import { until } from '../support/until.ts'

let root: string
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-spool-core-'))
})
after(() => rm(root, { recursive: true }))
const folder = () => mkdtemp(join(root, 'd-'))
const log = pino({ level: 'silent' })
// No process has this number for long: Linux gives out none above it.
const deadPid = 4_194_305

const delivery: fc.Arbitrary<Delivery> = fc.record(
  {
    id: fc.string({ minLength: 1 }),
    receivedAt: fc.constant('2026-11-23T10:00:00.000Z'),
    headers: fc.dictionary(fc.stringMatching(/^[a-z][a-z-]{0,9}$/), fc.string(), { maxKeys: 2, noNullPrototype: true }),
    body: fc.string({ unit: 'grapheme', maxLength: 60 }),
  },
  { noNullPrototype: true },
)

async function read(path: string): Promise<{ deliveries: Delivery[]; broken: number }> {
  const deliveries: Delivery[] = []
  let broken = 0
  for await (const one of readRecords(path)) {
    if ('delivery' in one) deliveries.push(one.delivery)
    else broken++
  }
  return { deliveries, broken }
}

const plain = (id: string): Delivery => ({ id, receivedAt: '2026-11-23T10:00:00.000Z', headers: {}, body: '{}' })

test('a spool file that is cut at any byte loses no whole record, and makes none up', async () => {
  const path = join(await folder(), 'cut')
  await fc.assert(
    fc.asyncProperty(fc.array(delivery, { minLength: 1, maxLength: 6 }), fc.nat(), async (deliveries, place) => {
      const records = deliveries.map(record)
      const all = Buffer.concat(records)
      const cut = place % (all.length + 1)
      writeFileSync(path, all.subarray(0, cut))
      const whole = records.filter((_, index) => Buffer.concat(records.slice(0, index + 1)).length <= cut).length
      const found = await read(path)
      assert.deepEqual(found.deliveries, deliveries.slice(0, whole))
    }),
    { numRuns: 300 },
  )
})

test('what is between two whole records, whatever it is, costs neither of them', async () => {
  const path = join(await folder(), 'noise')
  await fc.assert(
    fc.asyncProperty(delivery, fc.uint8Array({ maxLength: 80 }), delivery, async (first, noise, last) => {
      writeFileSync(path, Buffer.concat([record(first), noise, Buffer.from('\n'), record(last)]))
      const { deliveries } = await read(path)
      assert.deepEqual(deliveries, [first, last])
    }),
    { numRuns: 200 },
  )
})

test('what is acknowledged is on disk, also when many are written at once', async () => {
  const file = spoolFile(await folder(), newOwner())
  await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const bytes = record(plain(`r-${index}`))
      const path = await file.append(bytes)
      assert.ok(readFileSync(path).includes(bytes))
    }),
  )
  const current = file.current()
  assert.equal((await read(current?.path ?? '')).deliveries.length, 200)
  assert.equal(readFileSync(current?.path ?? '').length, current?.end)
  await file.close()
})

test('a file that is taken away and emptied while it is written loses nothing of what is acknowledged', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { minLength: 5, maxLength: 40 }), async (takings) => {
      const directory = await folder()
      const handedOver = join(await folder(), 'handed-over')
      const file = spoolFile(directory, newOwner())
      const take = () => {
        for (const name of readdirSync(directory)) {
          appendFileSync(handedOver, readFileSync(join(directory, name)))
          unlinkSync(join(directory, name))
        }
      }
      writeFileSync(handedOver, '')
      await Promise.all(
        takings.map(async (isTaken, index) => {
          for (let turn = 0; turn < index; turn++) await new Promise((resolve) => setImmediate(resolve))
          const appended = file.append(record(plain(`r-${index}`)))
          if (isTaken) take()
          await appended
        }),
      )
      take()
      const found = new Set((await read(handedOver)).deliveries.map(({ id }) => id))
      assert.deepEqual(
        takings.map((_, index) => `r-${index}`).filter((id) => !found.has(id)),
        [],
      )
      await file.close()
    }),
    { numRuns: 60 },
  )
})

async function takeAll(directory: string, owner: string): Promise<string[]> {
  const { orphans } = await findFiles(directory, owner)
  const taken = await Promise.all(orphans.map((name) => take(directory, name, owner)))
  return taken.filter((path) => path !== undefined)
}

test('files of two dead processes that were made in the same moment are both taken', async () => {
  const directory = await folder()
  const names = ['1', '2'].map((life) => newName(`${hostname()}.${deadPid}.${life}`))
  const sameMoment = names.map((name) => name.replace(/\d{13}-\d{6}/, '1790000000000-000000'))
  for (const [index, name] of sameMoment.entries()) writeFileSync(join(directory, name), record(plain(`from-${index}`)))
  const found = await Promise.all(
    (await takeAll(directory, newOwner())).map(async (path) => (await read(path)).deliveries.map(({ id }) => id)),
  )
  assert.deepEqual(found.flat().sort(), ['from-0', 'from-1'])
})

test('a process never takes its own file for an orphan, and takes that of an earlier life with its number', async () => {
  const directory = await folder()
  const owner = newOwner()
  writeFileSync(join(directory, newName(owner)), '')
  writeFileSync(join(directory, newName(newOwner())), '')
  assert.equal((await takeAll(directory, owner)).length, 1)
  assert.equal((await takeAll(directory, owner)).length, 0)
})

type Scene = { directory: string; taken: string[]; open: () => void; spool: Awaited<ReturnType<typeof openSpool>> }

// A spool over a Redis that takes nothing until `open` is called.
async function scene(directory: string): Promise<Scene> {
  let isOpen = false
  const taken: string[] = []
  const handOver = ({ id }: Delivery) => (isOpen ? Promise.resolve(void taken.push(id)) : Promise.reject(new Error('away')))
  const spool = await openSpool({ directory, handOver, log })
  return { directory, taken, spool, open: () => (isOpen = true) }
}

test('a spool whose file was taken away goes on: new deliveries pass, and it becomes empty', async () => {
  const directory = await folder()
  const { spool, taken, open } = await scene(directory)
  await spool.keep(plain('before'))
  for (const name of readdirSync(directory)) unlinkSync(join(directory, name))
  await spool.keep(plain('after'))
  open()
  await until(() => spool.isEmpty(), 'the spool is empty')
  assert.ok(taken.includes('after'))
  await spool.keep(plain('later'))
  await until(() => taken.includes('later') && spool.isEmpty(), 'what comes later is handed over')
  await spool.close()
})

test('an orphan that another process takes from us blocks nothing', async () => {
  const directory = await folder()
  writeFileSync(join(directory, newName(`${hostname()}.${deadPid}.1`)), Buffer.concat([record(plain('a')), record(plain('b'))]))
  writeFileSync(join(directory, newName(`${hostname()}.${deadPid}.2`)), record(plain('c')))
  const { spool, taken, open } = await scene(directory)
  const ours = readdirSync(directory)
    .filter((name) => name.startsWith(`${hostname()}.${process.pid}.`))
    .sort()
  unlinkSync(join(directory, ours[1] ?? ''))
  await spool.keep(plain('new'))
  open()
  await until(() => spool.isEmpty(), 'the spool is empty')
  assert.equal(taken.at(-1), 'new')
  await spool.close()
})

test('what is no record is put aside, and what stands around it is handed over in order', async () => {
  const directory = await folder()
  const path = join(directory, newName(`${hostname()}.${deadPid}.1`))
  writeFileSync(path, record(plain('a')))
  appendFileSync(path, 'nonsense\n')
  appendFileSync(path, record(plain('b')))
  appendFileSync(path, record(plain('torn')).subarray(0, 40))
  const { spool, taken, open } = await scene(directory)
  assert.equal(spool.isEmpty(), false)
  open()
  await until(() => spool.isEmpty(), 'the spool is empty')
  assert.deepEqual(taken, ['a', 'b'])
  assert.ok(readdirSync(directory).some((name) => name.endsWith('.broken')))
  await spool.close()
})
