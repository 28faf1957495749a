// The drawing of the parts, as the imports tell it: apps stand on sinks, sinks on what is shared, and nothing points back.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

const root = new URL('../..', import.meta.url).pathname

type Arrow = { from: string; to: string }

// Files of code, and what each imports of our own.
const files = ['apps', 'packages'].flatMap((part) =>
  readdirSync(join(root, part), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name))),
)
const arrows = files.flatMap((from) => {
  const text = readFileSync(join(root, from), 'utf8')
  return [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+\.ts)'/g)].map(
    ([, named = '']): Arrow => ({ from, to: pathOf(named, from) }),
  )
})

function pathOf(named: string, from: string): string {
  if (named.startsWith('#')) return named.replace('#shared/', 'packages/shared/').replace('#sinks/', 'packages/sinks/')
  return join(dirname(from), named)
}

// What a file of each part may import. Only the worker's main file knows the operators' tools: it serves their page.
const mayImport: Array<[file: RegExp, others: RegExp]> = [
  [/^packages\/shared\/process\//, /^packages\/shared\/process\//],
  [/^packages\/shared\/event\//, /^packages\/shared\/(process|event)\//],
  [/^packages\/shared\/queue\//, /^packages\/shared\/(process|event|queue)\//],
  [/^packages\/shared\/journal\//, /^packages\/shared\//],
  [/^packages\/sinks\//, /^packages\//],
  [/^apps\/ingest\//, /^(packages|apps\/ingest)\//],
  [/^apps\/ops\//, /^(packages|apps\/ops)\//],
  [/^apps\/worker\/main\.ts$/, /^(packages|apps\/worker|apps\/ops)\//],
  [/^apps\/worker\//, /^(packages|apps\/worker)\//],
]

test('every file is in one of the parts, and its imports are read', () => {
  assert.deepEqual(
    files.filter((file) => !mayImport.some(([part]) => part.test(file))),
    [],
  )
  assert.ok(arrows.length > files.length, `${arrows.length} imports in ${files.length} files`)
  assert.deepEqual(
    arrows.filter(({ to }) => !files.includes(to)),
    [],
  )
})

test('apps stand on sinks, sinks on what is shared, and nothing imports back', () => {
  const back = arrows.filter((arrow) => {
    const [, allowed] = mayImport.find(([part]) => part.test(arrow.from)) ?? []
    return allowed?.test(arrow.to) !== true
  })
  assert.deepEqual(back, [])
})

test('no folder needs another one that needs it', () => {
  const needs = new Map<string, Set<string>>()
  for (const { from, to } of arrows) {
    if (folderOf(from) === folderOf(to)) continue
    needs.set(folderOf(from), (needs.get(folderOf(from)) ?? new Set<string>()).add(folderOf(to)))
  }
  assert.deepEqual(circlesIn(needs), [])
})

test('no file needs another one that needs it', () => {
  const needs = new Map(files.map((file) => [file, new Set(arrows.filter(({ from }) => from === file).map(({ to }) => to))]))
  assert.deepEqual(circlesIn(needs), [])
})

test('the worker loads the operator’s page when somebody asks for it, and ingest starts without BullMQ', () => {
  const worker = loadedBy('apps/worker/main.ts')
  assert.deepEqual([worker.has('bullmq'), worker.has('apps/ops/page/open.ts'), worker.has('@bull-board/api')], [true, false, false])
  const ingest = loadedBy('apps/ingest/main.ts')
  assert.deepEqual([ingest.has('ioredis'), ingest.has('bullmq')], [true, false])
})

// The files and packages that are loaded before `file` runs: what is imported on the way, but for types and `import()`.
function loadedBy(file: string, loaded: Set<string> = new Set()): Set<string> {
  if (loaded.has(file)) return loaded
  loaded.add(file)
  if (!files.includes(file)) return loaded
  const imports = readFileSync(join(root, file), 'utf8').matchAll(/^(?:import|export) (?!type )[^']*?from '([^']+)'/gm)
  for (const [, named = ''] of imports) loadedBy(named.endsWith('.ts') ? pathOf(named, file) : named, loaded)
  return loaded
}

// The folder of a part that a file is in; a file that stands beside the folders, such as a main file, is for itself.
function folderOf(file: string): string {
  const [top = '', part = '', folder = '', ...rest] = file.split('/')
  return rest.length === 0 ? file : `${top}/${part}/${folder}`
}

// What neither needs anything that is left nor is needed by it is taken away until nothing of that kind is there: circles are left.
function circlesIn(needs: Map<string, Set<string>>): string[] {
  const left = new Set(needs.keys())
  const neededBy = (one: string) => [...(needs.get(one) ?? [])].filter((other) => left.has(other))
  for (let size = -1; size !== left.size; ) {
    size = left.size
    const needed = new Set([...left].flatMap(neededBy))
    for (const one of left) if (!needed.has(one) || neededBy(one).length === 0) left.delete(one)
  }
  return [...left].map((one) => `${one} → ${neededBy(one).join(', ')}`)
}
