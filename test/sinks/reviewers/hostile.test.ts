import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createBudget, defaultLimits } from '#sinks/gitlab-mentions/reviewers/budget.ts'
import { match, needsFiles } from '#sinks/gitlab-mentions/reviewers/match.ts'
import { parseInTurns, parsePage } from '#sinks/gitlab-mentions/reviewers/page.ts'
import { escaped, heading, mention, page } from './tree-of.ts'

const files = Array.from({ length: 3000 }, (_, index) => ({ path: `${noise(index)}${index}`, isNew: true }))
// One linear expression may go on for longer than a block may last, to see that it is interrupted.
const limits = { ...defaultLimits, totalMs: 600, expressionsMs: 500, backtrackingMs: 100, linearMs: 450 }
const entries = (expression: (index: number) => string) =>
  Array.from({ length: 5000 }, (_, index) => mention(`u${index}`, `file_regexp=${escaped(expression(index))}`))
const sections = (name: (index: number) => string) =>
  Array.from({ length: 20_000 }, (_, index) => heading(name(index)) + mention('u', 'file_regexp=x'))

const pages: Record<string, { parts: string[]; project?: string }> = {
  'look-around that never ends': { parts: [heading('*'), ...entries((index) => `(?!x)([ab/]+)+!${index}`), mention('last')] },
  'large machines': { parts: [heading('*'), ...entries((index) => `.*?a.{0,${400 + (index % 90)}}z${index}`), mention('last')] },
  'letters of all alphabets': { parts: [heading('*'), ...entries((index) => `[B-𞤀][B-𞤀][B-𞤀][B-𞤀]${index}`), mention('last')] },
  'many ordinary expressions': { parts: [heading('*'), ...entries((index) => `q${index}`), mention('last')] },
  'many invalid expressions': { parts: [heading('*'), ...entries((index) => `(q${index}`), mention('last')] },
  'many headings': { parts: sections((index) => `*a*b*a*b*c${index}`) },
  'slow globs': { parts: sections((index) => `*${'a'.repeat(200)}b${index}`), project: 'a'.repeat(2000) },
}

for (const [name, { parts, project = 'repos/x' }] of Object.entries(pages)) {
  test(`a page of ${name} is done with in time and lets other jobs run meanwhile`, async () => {
    const hostile = parsePage(page(...parts))
    const needed = cpuMs()
    assert.equal(typeof needsFiles(hostile, project), 'boolean')
    assert.ok(cpuMs() - needed < 300)
    const began = cpuMs()
    const [result, longest] = await longestBlock(() => match(hostile, project, files, limits))
    assert.ok(cpuMs() - began < 2000, `took ${cpuMs() - began} ms`)
    assert.ok(longest < 250, `blocked for ${longest} ms`)
    assert.ok(result.usernames.length <= 5001)
  })
}

test('a hostile expression takes nothing from the people listed without one, nor from the ordinary ones before it', async () => {
  const hostile = parsePage(
    page(
      heading('*'),
      mention('first', 'file_regexp=[ab/]\\d$'),
      ...entries((index) => `(?!x)([ab/]+)+!${index}`),
      mention('linear', 'file_regexp=^[ab/]+99$'),
      mention('last'),
    ),
  )
  const { usernames, problems } = await match(hostile, 'x', files.slice(0, 100), {
    ...defaultLimits,
    totalMs: 60_000,
    linearMs: 10_000,
    expressionsMs: 10_000,
  })
  assert.deepEqual(usernames, ['first', 'linear', 'last'])
  assert.equal(problems.length, 5000)
})

test('a large page is read in slices, and other jobs run meanwhile', async () => {
  const tree = page(heading('x'), ...Array.from({ length: 30_000 }, (_, index) => mention(`u${index}`)))
  const [{ sections }, longest, turns] = await longestBlock(() => parseInTurns(tree))
  assert.equal(sections[0]?.entries.length, 30_000)
  assert.deepEqual({ sections, problems: [], suspicious: false }, parsePage(tree))
  assert.ok(turns > tree.length / 100_000, `${turns} turns`)
  assert.ok(longest < 250, `blocked for ${longest} ms`)
})

const tooMuch: Record<string, { parts: string[]; people: string[]; reasons: RegExp }> = {
  'an entry of too many parts': {
    parts: [mention('long', ...Array.from({ length: 5000 }, () => 'x')), mention('b')],
    people: ['a', 'b'],
    reasons: /^this is too long and is not read$/,
  },
  'a heading of too many tags': {
    parts: [heading('<a/>'.repeat(20_000)), mention('b'), heading('x'), mention('c')],
    people: ['a', 'c'],
    reasons: /^this is too long and is not read$/,
  },
  'too many people': {
    parts: Array.from({ length: 60_000 }, (_, index) => mention(`u${index}`)),
    people: ['a', ...Array.from({ length: 49_998 }, (_, index) => `u${index}`)],
    reasons: /^the page is too long; what stands here and below is not read$/,
  },
  'too much within each other': {
    parts: ['<a>'.repeat(200_000) + '</a>'.repeat(200_000), mention('b')],
    people: ['a'],
    reasons: /^the page nests too much within each other; from there on it is not read$/,
  },
}
for (const [name, { parts, people, reasons }] of Object.entries(tooMuch)) {
  test(`${name}: only that is not read, and it is said`, () => {
    const { sections, problems } = parsePage(page(heading('x'), mention('a'), ...parts))
    assert.deepEqual(
      sections.flatMap(({ entries }) => entries.map(({ username }) => username)),
      people,
    )
    assert.equal(problems.length, 1)
    assert.match(problems[0]?.reason ?? '', reasons)
  })
}

test('a page that takes too long lists nobody from then on and says where that began', async () => {
  const read = parsePage(page(heading('x'), mention('a')))
  assert.deepEqual(await match(read, 'x', [], { ...defaultLimits, totalMs: 0 }), {
    usernames: [],
    problems: [{ section: 'x', reason: 'the page takes too long; from here on nobody is mentioned' }],
  })
})

test('only work counts as time spent, not the time other jobs take meanwhile', async () => {
  let clock = 0
  const now = () => clock
  const budget = createBudget(
    { ...defaultLimits, totalMs: 100, sliceMs: 10 },
    { worked: now, clock: now, pause: async () => (clock += 5000) },
  )
  assert.equal(budget.isDue(), false)
  clock += 60
  assert.equal(budget.isDue(), true)
  await budget.breathe()
  assert.deepEqual([budget.isDue(), budget.isSpent()], [false, false])
  clock += 40
  assert.equal(budget.isSpent(), true)
})

// Paths without a rhythm, for which a large machine meets a new state at each letter.
function noise(seed: number): string {
  let state = seed + 1
  return Array.from({ length: 600 }, () => {
    state = (state * 48_271) % 2_147_483_647
    return 'ab/'.charAt(state % 3)
  }).join('')
}

// The processor's time of this thread: a busy machine does not count against us.
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

async function longestBlock<T>(work: () => Promise<T>): Promise<[result: T, longest: number, turns: number]> {
  let longest = 0
  let turns = 0
  let running = true
  let last = cpuMs()
  const finished = work().finally(() => {
    running = false
  })
  while (running) {
    await setImmediate()
    turns += 1
    longest = Math.max(longest, cpuMs() - last)
    last = cpuMs()
  }
  return [await finished, longest, turns]
}
