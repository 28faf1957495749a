// A secret that people choose and that is short could be guessed: the log says so at the start and when a new one is taken
// over, and so does doctor.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { ops } from '../support/ops.ts'
import type { Environment, Process } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

const [short, long] = ['fifteen-letters', 'sixteen--letters']
let stage: Stage
before(async () => {
  stage = await openStage()
})
after(() => stage?.close())

const warned = ({ lines }: Process) => lines.flatMap(({ msg, secret }) => (msg === 'secret is short enough to be guessed' ? [secret] : []))

test('a token of less than 16 characters is warned about in the log, by its name', async () => {
  const old = { SOURCE_TOKEN: long, SOURCE_TOKEN_OLD: short }
  const [ingest, rotating, worker] = await Promise.all([
    stage.start('ingest', { SOURCE_TOKEN: short }),
    stage.start('ingest', { ...old, SPOOL_DIR: `${stage.environment.SPOOL_DIR}-2` }),
    stage.start('worker', { OPS_TOKEN: short }),
  ])
  assert.deepEqual([ingest, rotating, worker].map(warned), [['SOURCE_TOKEN'], ['SOURCE_TOKEN_OLD'], ['OPS_TOKEN']])
  for (const { text } of [ingest, rotating, worker]) assert.ok(!text().includes(short))
})

test('one that is taken over from a file is warned about, too', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-short-'))
  stage.defer(() => rm(directory, { recursive: true }))
  const file = join(directory, 'token')
  await writeFile(file, long)
  const ingest = await stage.start('ingest', { SOURCE_TOKEN: '', SOURCE_TOKEN_FILE: file, SPOOL_DIR: join(directory, 'spool') })
  assert.deepEqual(warned(ingest), [])
  await writeFile(file, short)
  await until(() => warned(ingest).length === 1, 'it is warned about')
})

const findings = z.array(z.looseObject({ id: z.string(), state: z.string(), message: z.string(), remedy: z.string().nullable() }))
async function doctor(more: Environment) {
  const { out } = await ops({ ...stage.environment, ...more }, 'doctor', '--json')
  assert.ok(!out.includes(short))
  return findings.parse(JSON.parse(out)).filter(({ message }) => message.includes('shorter than 16'))
}

test('doctor warns about those it can see, and says what to do', async () => {
  assert.deepEqual(await doctor({ SOURCE_TOKEN: long, OPS_TOKEN: long }), [])
  const found = await doctor({ SOURCE_TOKEN: short, OPS_TOKEN: short, SOURCE_TOKEN_OLD_FILE: '/not/for/this/process' })
  assert.deepEqual(
    found.map(({ id, state, message }) => [id, state, message]),
    ['SOURCE_TOKEN', 'OPS_TOKEN'].map((name) => ['configuration', 'warning', `${name} is shorter than 16 characters: it could be guessed`]),
  )
  assert.match(found[0]?.remedy ?? '', /openssl rand/)
})
