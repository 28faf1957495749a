// What the Dockerfile puts into the image is enough to run both processes: run-time packages and sources, no more.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readCompose, readCopy, readDockerfile, root } from './files.ts'
import { buildTree, type Tree } from './image.ts'

const stages = readDockerfile()
const copies = stages.flatMap(({ instructions }) => instructions.filter(({ word }) => word === 'COPY').map(({ rest }) => readCopy(rest)))
let tree: Tree

before(async () => {
  tree = await buildTree()
})
after(() => rm(tree.directory, { recursive: true, force: true }))

test('everything that the Dockerfile copies exists and passes .dockerignore', () => {
  const lines = readFileSync(`${root}.dockerignore`, 'utf8').split('\n')
  assert.ok(lines.includes('*'))
  for (const { from, sources } of copies) {
    for (const source of sources) {
      if (from !== undefined) assert.ok(existsSync(join(tree.directory, from, source)), `${source} in ${from}`)
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

test('the image has no development packages', () => {
  const packages = readdirSync(join(tree.workdir, 'node_modules'))
  assert.ok(packages.includes('bullmq'))
  assert.deepEqual(
    packages.filter((name) => ['typescript', '@biomejs', 'autocannon', 'pino-pretty'].includes(name)),
    [],
  )
})

const missing = { ingest: ['SOURCE_TOKEN'], worker: ['PHABRICATOR_TOKEN', 'GITLAB_TOKEN', 'DATABASE_URL'] }

for (const name of ['ingest', 'worker'] as const) {
  test(`${name} starts in the image, and names the variables that it misses`, () => {
    const command = readCompose().services[name].command ?? tree.command
    assert.equal(command[0], 'node')
    const options = { cwd: tree.workdir, env: tree.environment, encoding: 'utf8' } as const
    const { status, stderr } = spawnSync(process.execPath, command.slice(1), options)
    assert.equal(status, 78, stderr)
    for (const variable of missing[name]) assert.match(stderr, new RegExp(`^  ${variable}: is required`, 'm'))
  })
}
