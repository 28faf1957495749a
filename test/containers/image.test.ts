// What the Dockerfile puts into the image is enough to run what docker-compose.yml starts: run-time packages and sources,
// no more.
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { readProcfile } from '../deploy/procfile.ts'
import { mergeRequestHook, verbs } from '../flow/flow.ts'
import { sourceToken } from '../support/service.ts'
import { until } from '../support/until.ts'
import { readCopy, readDockerfile, root } from './files.ts'
import { type Host, openHost, services } from './host.ts'

const stages = readDockerfile()
const copies = stages.flatMap(({ instructions }) => instructions.filter(({ word }) => word === 'COPY').map(({ rest }) => readCopy(rest)))
const run = promisify(execFile)
let host: Host

before(async () => {
  host = await openHost()
})
after(() => host?.close())

test('everything that the Dockerfile copies exists and passes .dockerignore', () => {
  const lines = readFileSync(`${root}.dockerignore`, 'utf8').split('\n')
  assert.ok(lines.includes('*'))
  for (const { from, sources } of copies) {
    for (const source of sources) {
      if (from !== undefined) assert.ok(existsSync(join(host.tree.directory, from, source)), `${source} in ${from}`)
      else assert.ok(existsSync(root + source) && lines.includes(`!${source}`), source)
    }
  }
})

test('node_modules never comes from outside: npm makes it in the image', () => {
  const outside = copies.filter(({ from }) => from === undefined).flatMap(({ sources }) => sources)
  assert.deepEqual(
    outside.filter((source) => source === '.' || source.includes('node_modules')),
    [],
  )
})

test('the image runs Node.js 24, as a user who is not root', () => {
  const last = stages.at(-1)
  assert.match(last?.image ?? '', /^node:24-slim$/)
  assert.deepEqual(
    last?.instructions.filter(({ word }) => word === 'USER'),
    [{ word: 'USER', rest: 'node' }],
  )
})

test('the Dockerfile keeps to what linters of Dockerfiles ask for', () => {
  const instructions = stages.flatMap((stage) => stage.instructions)
  for (const { image } of stages) assert.match(image, /:[\w.-]+$/, 'each image has a tag')
  for (const { word, rest } of instructions) {
    assert.ok(!['ADD', 'MAINTAINER', 'ONBUILD', 'SHELL'].includes(word), word)
    if (word === 'WORKDIR') assert.match(rest, /^\//)
    if (word === 'RUN') assert.doesNotMatch(rest, /\b(sudo|cd|apt|curl|wget|npm install)\b|\|/)
    if (word === 'CMD' || word === 'ENTRYPOINT') assert.ok(Array.isArray(JSON.parse(rest)))
    if (word === 'ENV' || word === 'ARG') assert.doesNotMatch(rest, /TOKEN|PASSWORD|SECRET/)
  }
  assert.equal(stages.at(-1)?.instructions.filter(({ word }) => word === 'RUN').length, 1, 'no npm in the image that is shipped')
})

test('the image has no development packages', () => {
  const packages = readdirSync(join(host.tree.workdir, 'node_modules'))
  assert.ok(packages.includes('bullmq'))
  assert.deepEqual(
    packages.filter((name) => ['typescript', '@biomejs', 'autocannon', 'pino-pretty'].includes(name)),
    [],
  )
})

const missing = { ingest: ['SOURCE_TOKEN'], worker: ['PHABRICATOR_TOKEN', 'GITLAB_TOKEN', 'DATABASE_URL'] }

for (const name of ['ingest', 'worker'] as const) {
  test(`${name} starts in the image, and names the variables that it misses`, () => {
    const options = { cwd: host.tree.workdir, env: { PATH: process.env.PATH, ...host.tree.environment }, encoding: 'utf8' } as const
    const { status, stderr } = spawnSync('node', host.commandOf(name).slice(1), options)
    assert.equal(status, 78, stderr)
    for (const variable of missing[name]) assert.match(stderr, new RegExp(`^  ${variable}: is required`, 'm'))
  })
}

test('ingest and worker are told about memory what the Procfile tells them', () => {
  const flagsIn = (words: string[] = []) => words.filter((word) => word.startsWith('--')).toSorted()
  const general = host.tree.environment.NODE_OPTIONS?.split(' ') ?? []
  const processes = readProcfile()
  assert.deepEqual(flagsIn([...general, ...host.commandOf('ingest')]), flagsIn(processes.get('web')))
  assert.deepEqual(flagsIn([...general, ...host.commandOf('worker')]), flagsIn(processes.get('worker')))
})

test('the migrations end well, then ingest and worker carry a merge request', async () => {
  const [command = '', ...args] = host.commandOf('migrations')
  await run(command, args, { cwd: host.tree.workdir, env: host.environmentOf('migrations') })
  const ingest = host.start('ingest')
  const worker = host.start('worker')
  await until(() => ingest.text().includes('"listening"') && worker.text().includes('"working"'), 'both have started').catch(
    (error: unknown) => {
      throw new Error(ingest.text() + worker.text(), { cause: error })
    },
  )
  const answer = await fetch(`http://127.0.0.1:${host.ports.ingest}/hooks`, {
    method: 'POST',
    headers: { 'x-gitlab-token': sourceToken },
    body: JSON.stringify(mergeRequestHook(host.stage)),
  })
  assert.equal(answer.status, 202)
  await until(() => verbs(host.stage, 1) === 'opened', 'the task has its comment')
  await access(join(host.tree.workdir, 'data/events.log'))
})

test('the health checks answer as those of Docker do', async () => {
  for (const name of ['ingest', 'worker'] as const) {
    const [, command = '', ...args] = services[name].healthcheck?.test ?? []
    const here = args.map((word) => word.replace(/127\.0\.0\.1\/\d+/, `127.0.0.1/${host.ports[name]}`))
    await run(command, here)
    await assert.rejects(
      run(
        command,
        args.map((word) => word.replace(/127\.0\.0\.1\/\d+/, '127.0.0.1/1')),
      ),
    )
  }
})

test('the operator’s command line is in the image', async () => {
  const { stdout } = await run(join(host.tree.workdir, 'bin/ops'), ['status', '--json'], { env: host.environmentOf('worker') })
  assert.ok(JSON.parse(stdout).queues.length > 0)
})
