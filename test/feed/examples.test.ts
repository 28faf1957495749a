// The examples that we give, run as they stand.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { exampleAddress, examples } from '../../apps/ingest/pages/examples.ts'
import { letGo, onLeash } from '../support/leashed.ts'
import { freePort } from '../support/ports.ts'
import { skipWithout } from '../support/proxies.ts'
import { type Publish, publisherOf } from '../support/relay.ts'
import type { Process } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let publish: Publish
let directory: string
let port: string
let ingest: Process

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-clients-'))
  stage = await openStage()
  stage.defer(() => rm(directory, { recursive: true }))
  publish = publisherOf(stage)
  port = String(await freePort())
  ingest = await stage.start('ingest', { PORT: port })
  await happens('long ago')
})
after(() => stage.close())

async function happens(project: string, action = 'open'): Promise<void> {
  const dt = new Date().toISOString()
  const path_with_namespace = `repos/${project}`
  await publish([
    { object_kind: 'push', action, project: { path_with_namespace }, meta: { id: project, dt, kind: 'push', uri: path_with_namespace } },
  ])
}

/** Runs `text` with `command`, as it stands but for the address; everything it prints. */
async function run(command: string[], name: string, text: string): Promise<{ output: () => string; stop: () => Promise<void> }> {
  const file = join(directory, name)
  await writeFile(file, text.replaceAll(exampleAddress, `http://127.0.0.1:${port}`))
  const [program = '', ...args] = command
  const child = onLeash(program, [...args, file])
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (output += bytes.toString()))
  stage.defer(() => letGo(child))
  return { output: () => output, stop: () => letGo(child) }
}

const eventSource = new URL('../support/event-source.ts', import.meta.url).pathname
const programs = [
  { title: 'JavaScript', command: [process.execPath, '--import', eventSource], file: 'example.mjs', skip: false },
  { title: 'Python', command: ['python3'], file: 'example.py', skip: skipWithout('python3') },
] as const

for (const { title, command, file, skip } of programs) {
  test(`the example in ${title} reads along, and misses nothing while the service is restarted`, { skip }, async () => {
    const { output, stop } = await run([...command], file, examples.find((example) => example.title === title)?.text ?? '')
    await until(async () => {
      await happens(`${title}/knock`)
      return output().includes('knock')
    }, 'it reads along')
    await ingest.stop()
    await happens(`${title}/meanwhile`)
    ingest = await stage.start('ingest', { PORT: port })
    await until(() => output().includes(`push repos/${title}/meanwhile`), 'it has what came meanwhile')
    await happens(`${title}/after`)
    await until(() => output().includes(`push repos/${title}/after`), 'it goes on')
    await stop()
  })
}

const documentation = readFileSync(new URL('../../docs/subscribe.md', import.meta.url), 'utf8')
const blocks = [...documentation.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({ language, text }))

test('the documentation has the examples of the page, word for word', () => {
  const textOf = (title: string) => examples.find((example) => example.title === title)?.text
  assert.equal(blocks.find(({ language }) => language === 'js')?.text, textOf('JavaScript'))
  assert.equal(blocks.find(({ language }) => language === 'python')?.text, textOf('Python'))
})

test('every command of the documentation, and that of the page, does what it says', { skip: skipWithout('curl') }, async () => {
  const commands = blocks.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.trim().split('\n'))
  assert.equal(commands.length, 9)
  for (const [index, command] of [...commands, examples.find(({ title }) => title === 'curl')?.text ?? ''].entries()) {
    const { output, stop } = await run(['sh'], `command-${index}.sh`, command)
    const line = command.includes('ndjson') ? /^\{.*,"cursor":"\d+-\d+"\}\}$/m : /^id: \d+-\d+\ndata: \{.*\}$/m
    const expected = command.includes('yesterday') ? /\{"error":"since: expected/ : line
    await until(async () => {
      await happens('again', 'merge')
      return expected.test(output())
    }, `there is an answer to ${command}`)
    await stop()
  }
})
