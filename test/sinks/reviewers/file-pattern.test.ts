import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Budget, createBudget, defaultLimits } from '#sinks/gitlab-mentions/reviewers/budget.ts'
import { compileFilePattern } from '#sinks/gitlab-mentions/reviewers/file-pattern.ts'

// Far from any limit, so that a busy machine changes nothing.
const patient = { ...defaultLimits, linearMs: 10_000, backtrackMs: 10_000, backtrackingMs: 60_000, expressionsMs: 60_000 }

async function search(expression: string, paths: string[], budget: Budget = createBudget(patient)): Promise<string[] | string> {
  const result = await compileFilePattern(expression)(paths, budget)
  return 'reason' in result ? result.reason : [...result.found]
}

// expression, paths Python's re.search finds it in, paths it does not
const answersOfPython: Array<[string, string[], string[]]> = [
  ['\\.php$', ['a.php', 'A.PHP', 'x/y.php'], ['a.php5', 'aphp']],
  ['^docs/', ['docs/a', 'Docs/b'], ['a/docs/b']],
  ['a.b', ['a/b', 'a\nb', 'xAxBx'], ['ab']],
  ['(?i)x', ['X', 'x'], ['y']],
  ['(?aim)^x', ['X'], ['yx']],
  ['(?i:x)y', ['XY'], ['x']],
  ['^x\\Z', ['x'], ['xx']],
  ['\\Ax', ['xa'], ['ax']],
  ['^a{,2}$', ['', 'a', 'aa'], ['aaa']],
  ['^a{2,}$', ['aa', 'aaa'], ['a']],
  ['^a{,}$', ['', 'aaa'], ['b']],
  ['a{b', ['a{b'], ['ab']],
  ['a{}', ['a{}'], ['a']],
  ['[]a]x', [']x', 'ax'], ['bx']],
  ['[^]a]x', ['bx'], [']x', 'ax']],
  ['[{,3}]', ['{', '3'], ['a']],
  ['(?P<word>ab)+c', ['abc', 'ABABC'], ['ac']],
  ['\\x2e', ['.'], ['x']],
  ['\\\\Z', ['a\\Z'], ['a']],
  // what RE2 does not know: look-around and back-references
  ['(?<!^includes/Template)[Pp]arse|\\.inc$', ['includes/Parser.php', 'a.inc'], ['includes/TemplateParser.php']],
  ['^(?!Scribunto).*\\.lua$', ['a.lua'], ['Scribunto/a.lua', 'scribunto.lua']],
  ['a(?=b)', ['ab'], ['ac']],
  ['(?<=/)x', ['/x'], ['x']],
  ['(.)\\1', ['aab', 'aA'], ['ab']],
  ['(?i)^(?P<n>x.)(?P=n)\\Z', ['x1x1', 'x1X1'], ['x1x2', 'x1x1x']],
  ['(?!q)[]a]{,2}\\Z', [']a', ''], []],
  ['\\A(?!q)x', ['x'], ['ax']],
]

test('an expression finds what it finds in Python, ignoring case', async () => {
  for (const [expression, found, others] of answersOfPython)
    assert.deepEqual(await search(expression, [...others, ...found]), found, expression)
})

test('the names of ten thousand paths are told apart', async () => {
  const paths = Array.from({ length: 10_000 }, (_, index) => `src/${index}.ts`)
  assert.equal((await search('/\\d{3}\\.', paths)).length, 900)
  assert.equal((await search('/(?!9)\\d{3}\\.', paths)).length, 800)
})

const refused = [
  '(',
  ')',
  '[',
  '[]',
  '(?!x)[]',
  '*.php',
  '(unclosed[',
  '\\.(css',
  'a**',
  'a{3,2}',
  '\\',
  '(?P=n)',
  '\\1',
  '(a)\\2',
  '\\y',
  '[\\y]',
  '\\xg',
  '\\pL',
]
const unsupported = [
  '(?#c)x',
  '(?x)a',
  '(?>a)',
  'a++',
  '(?(1)a)',
  '(?<n>a)',
  '(?P<n>a)(?P<n>b)',
  'a(?i)b',
  '(?!x)*a**',
  '(?!x)(',
  '(?=a){3,2}',
]
const oversized = [
  'a{1001}',
  '(?:a{900}){900}',
  '(((a{10}){10}){10}){10}',
  '(a|b){501}',
  '(?!x)(?:.{1000}y){60}',
  '[B-𞤀][B-𞤀][B-𞤀][B-𞤀][B-𞤀]',
  'a'.repeat(501),
  '(?:abcdefghij){100}',
  `[${'a'.repeat(999)}]`,
]

test('an invalid, unsupported or oversized expression is found nowhere and says why', async () => {
  for (const expression of [...refused, ...unsupported, ...oversized]) {
    assert.match(String(await search(expression, ['a', 'css', 'x.php', 'aaaa', ''])), /^its file_regexp is not valid \(.+\)$/s, expression)
  }
})

test('whatever the expression, compiling and searching it throws nothing', async () => {
  const piece = fc.constantFrom(
    'a',
    '.',
    '(',
    ')',
    '[',
    ']',
    '{',
    ',',
    '2',
    '}',
    '*',
    '?',
    '|',
    '\\',
    '(?',
    'P',
    '<',
    '=',
    '!',
    ':',
    '-',
    '^',
    '$',
    '😀',
    '\\Z',
  )
  const expression = fc.oneof(
    fc.array(piece).map((pieces) => pieces.join('')),
    fc.string({ unit: 'binary' }),
  )
  const check = fc.asyncProperty(expression, async (text) => {
    const result = await compileFilePattern(text)(['a', '', '😀', 'a/b.c'], createBudget(patient))
    assert.ok('found' in result || result.reason)
  })
  await fc.assert(check, { numRuns: 500 })
})

test('any ordinary expression agrees with a matcher written down from the definition', async () => {
  const { expression } = fc.letrec<{ expression: Node }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom<Node>(
        { kind: 'letter', letter: 'a' },
        { kind: 'letter', letter: 'B' },
        { kind: 'dot' },
        { kind: 'start' },
        { kind: 'end' },
      ),
      fc.record({ kind: fc.constant('then' as const), left: tie('expression'), right: tie('expression') }),
      fc.record({ kind: fc.constant('or' as const), left: tie('expression'), right: tie('expression') }),
      fc.record({ kind: fc.constant('repeat' as const), of: tie('expression'), least: fc.nat(2), more: fc.nat(2) }),
      fc.record({ kind: fc.constant('ahead' as const), of: tie('expression') }),
    ),
  }))
  const path = fc.array(fc.constantFrom('a', 'A', 'b', '/', '\n'), { maxLength: 5 }).map((letters) => letters.join(''))
  const check = fc.asyncProperty(expression, fc.uniqueArray(path, { maxLength: 6 }), async (node, paths) => {
    const expected = paths.filter((text) => Array.from(`${text}.`).some((_, at) => ends(node, text.toLowerCase(), at).size > 0))
    assert.deepEqual(await search(written(node), paths), expected, written(node))
  })
  await fc.assert(check, { numRuns: 600 })
})

test('an expression that takes for ever is given up and says so', async () => {
  const budget = createBudget({ ...patient, backtrackMs: 50 })
  assert.equal(await search('(?!x)(a+)+$', [`${'a'.repeat(60)}b`], budget), 'its file_regexp takes too long')
  assert.ok(budget.backtracking.leftMs < patient.backtrackingMs - 40, 'the time is paid for')
})

test('an expression RE2 can have is linear however it is written', async () => {
  const long = `${'a'.repeat(900)}!`
  assert.deepEqual(await search('^(\\w+\\s?)*$', [long, 'a']), ['a'])
  assert.deepEqual(await search('(a+)+$', [long, 'a']), ['a'])
})

test('when the time for all expressions is gone the next ones are found nowhere and say so', async () => {
  const budget = createBudget({ ...patient, expressionsMs: 0, backtrackingMs: 0 })
  assert.deepEqual(await search('(?=a)a', ['a']), ['a'])
  for (const expression of ['a', '(?=a)a'])
    assert.equal(await search(expression, ['a'], budget), 'the expressions before it used up the time there is')
})

test('a path of absurd length is found by no expression', async () => {
  for (const expression of ['a', '(?=a)a']) assert.deepEqual(await search(expression, ['a'.repeat(1001), 'a']), ['a'])
})

type Node =
  | { kind: 'letter'; letter: string }
  | { kind: 'dot' }
  | { kind: 'start' }
  | { kind: 'end' }
  | { kind: 'then'; left: Node; right: Node }
  | { kind: 'or'; left: Node; right: Node }
  | { kind: 'repeat'; of: Node; least: number; more: number }
  | { kind: 'ahead'; of: Node }

function written(node: Node): string {
  if (node.kind === 'letter') return node.letter
  if (node.kind === 'dot') return '.'
  if (node.kind === 'start') return '^'
  if (node.kind === 'end') return '\\Z'
  if (node.kind === 'then') return `${written(node.left)}${written(node.right)}`
  if (node.kind === 'or') return `(?:${written(node.left)}|${written(node.right)})`
  if (node.kind === 'ahead') return `(?=${written(node.of)})`
  return `(${written(node.of)}){${node.least || ''},${node.least + node.more}}`
}

// Every place where a match that begins at `at` can end.
function ends(node: Node, text: string, at: number): Set<number> {
  if (node.kind === 'letter') return new Set(text[at] === node.letter.toLowerCase() ? [at + 1] : [])
  if (node.kind === 'dot') return new Set(at < text.length ? [at + 1] : [])
  if (node.kind === 'start') return new Set(at === 0 ? [at] : [])
  if (node.kind === 'end') return new Set(at === text.length ? [at] : [])
  if (node.kind === 'or') return new Set([...ends(node.left, text, at), ...ends(node.right, text, at)])
  if (node.kind === 'then') return new Set([...ends(node.left, text, at)].flatMap((middle) => [...ends(node.right, text, middle)]))
  if (node.kind === 'ahead') return new Set(ends(node.of, text, at).size > 0 ? [at] : [])
  let reached = new Set([at])
  const all = new Set(node.least === 0 ? [at] : [])
  for (let times = 1; times <= node.least + node.more; times++) {
    reached = new Set([...reached].flatMap((middle) => [...ends(node.of, text, middle)]))
    if (times >= node.least) for (const end of reached) all.add(end)
  }
  return all
}
