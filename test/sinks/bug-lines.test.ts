// Which lines name tasks: a table of what people write, and texts written to make the reader stumble.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { nearMiss, tasksIn } from '#sinks/phabricator/bug-lines.ts'
import { effortOf } from '../support/effort.ts'

const phabricator = 'https://phabricator.example'
const tasks = (text: string) => tasksIn(text, phabricator)

function table(title: string, rows: Array<[what: string, text: string, expected: number[]]>): void {
  describe(title, () => {
    for (const [what, text, expected] of rows) test(what, () => assert.deepEqual(tasks(text), expected))
  })
}

table('a line names its task when it', [
  ['has the form of the documentation', 'Bug: T12345', [12345]],
  ['stands among other lines', 'Add a feed\n\nReaders want it.\n\nBug: T1\nChange-Id: I1', [1]],
  ['follows a line of prose at once', 'Readers want it.\nBug: T1', [1]],
  ['ends in two blanks, a Markdown line break', 'Bug: T1  \nBug: T2  ', [1, 2]],
  ['ends in a tab', 'Bug: T1\t', [1]],
  ['ends in a backslash', 'Bug: T1 \\\nBug: T2\\\n', [1, 2]],
  ['ends in CRLF', 'Text\r\n\r\nBug: T1\r\nBug: T2\r\n', [1, 2]],
  ['ends in a lone CR', 'Bug: T1\rBug: T2', [1, 2]],
  ['has no blank after the colon', 'Bug:T1', [1]],
  ['has several blanks after the colon', 'Bug:   T1', [1]],
  ['begins with a small letter', 'bug: T1', [1]],
  ['is indented by up to three blanks', ' Bug: T1\n   Bug: T2', [1, 2]],
  ['has the address of the task', 'Bug: https://phabricator.example/T1', [1]],
  ['has the address of a comment on it', 'Bug: https://phabricator.example/T1#12345', [1]],
  ['follows a comment that is closed on its line', '<!-- say why -->\nBug: T1', [1]],
  ['follows a code span on the line before', 'It calls `run()`.\nBug: T1', [1]],
  ['follows lone backticks', 'A ` and a `` that are never closed\nBug: T1', [1]],
  ['follows a comment that is never closed, inside a paragraph', 'a <!-- b\nBug: T1', [1]],
  ['follows a line of backticks that is no fence', '```a``` b\nBug: T1', [1]],
  ['follows the code of a list item', '- ```\n  code\n\nBug: T1', [1]],
])

table('several tasks are named by', [
  ['several lines', 'Bug: T2\nBug: T1', [2, 1]],
  ['commas', 'Bug: T1, T2,T3', [1, 2, 3]],
  ['blanks', 'Bug: T1 T2\tT3', [1, 2, 3]],
  ['ids and addresses', 'Bug: T1, https://phabricator.example/T2', [1, 2]],
  ['the same id again, which counts once', 'Bug: T1\nBug: T2, T1\nbug: T01', [1, 2]],
])

table('the number of a task', [
  ['is never zero', 'Bug: T0\nBug: T000', []],
  ['may have leading zeros', 'Bug: T007', [7]],
  ['may have as many leading zeros as one likes', `Bug: T${'0'.repeat(5000)}7`, [7]],
  ['is not absurd', `Bug: T99999999999999999999\nBug: T${'9'.repeat(5000)}`, []],
  ['beside an absurd one still counts', 'Bug: T99999999999999999999, T1', [1]],
  ['has no sign, point or other digits', 'Bug: T-1\nBug: T+1\nBug: T1.5\nBug: T1e3\nBug: T0x1\nBug: T１', []],
])

table('no task is named by', [
  ['an empty text', '', []],
  ['a task in running text', 'See T1, which broke T2.', []],
  ['other words', 'Task: T1\nFixes: T1\nCloses: T1\nBugs: T1\nDebug: T1', []],
  ['other cases', 'BUG: T1\nbUG: T1\nBug: t1', []],
  ['a word before it', 'See Bug: T1', []],
  ['a list item', '- Bug: T1\n* Bug: T1\n1. Bug: T1', []],
  ['words after it', 'Bug: T1 is fixed\nBug: T1.\nBug: T1 (partly)', []],
  ['nothing', 'Bug:\nBug: \nBug: \\', []],
  ['the next line', 'Bug:\nT1', []],
  ['the address of another host', 'Bug: https://phabricator.evil.example/T1\nBug: https://phabricator.example.evil/T1', []],
  ['the address of something else', 'Bug: https://phabricator.example/D1\nBug: https://phabricator.example/p/T1/', []],
  ['an address without its host', 'Bug: /T1', []],
])

table('a line is hidden', [
  ['in an HTML comment', '<!-- Bug: T1 -->', []],
  ['in an HTML comment of several lines', '<!--\nBug: T1\n\nBug: T2\n-->\nBug: T3', [3]],
  ['in an HTML comment within a paragraph', 'a <!--\nBug: T1\n--> b\nBug: T2', [2]],
  ['after an HTML comment that is never closed', 'Bug: T1\n\n<!-- fill in:\n\nBug: T2', [1]],
  ['behind an HTML comment on the same line', '<!-- a --> Bug: T1', []],
  ['in fenced code', '```\nBug: T1\n```\nBug: T2', [2]],
  ['in fenced code with a language', '```yaml\nBug: T1\n```', []],
  ['in fenced code of tildes', '~~~\nBug: T1\n```\nBug: T2\n~~~\nBug: T3', [3]],
  ['in fenced code with longer marks', '````\n```\nBug: T1\n```\n````\nBug: T2', [2]],
  ['in fenced code that is indented', '  ```\n  Bug: T1\n  ```\nBug: T2', [2]],
  ['in fenced code that is never closed', 'Bug: T1\n```\nBug: T2\n\nBug: T3', [1]],
  ['in fenced code of a list item', '- ```\n  Bug: T1\n  ```\n\nBug: T2', [2]],
  ['in fenced code right after a paragraph', 'For example:\n```\nBug: T1\n```', []],
  ['in a code span', '`Bug: T1`', []],
  ['in a code span of several lines', 'Write `\nBug: T1\n` at the end\nBug: T2', [2]],
  ['in a code span of several backticks', 'Write `` ` \nBug: T1\n``\nBug: T2', [2]],
  ['in indented code', 'For example:\n\n    Bug: T1\n\tBug: T2\n\nBug: T3', [3]],
  ['in a quotation', '> Bug: T1\n>Bug: T2\n > Bug: T3\n\nBug: T4', [4]],
  ['in a long quotation', '>>>\nBug: T1\n\nBug: T2\n>>>\nBug: T3', [3]],
  ['in a long quotation with blanks after its marks', '>>>  \nBug: T1\n>>> \nBug: T2', [2]],
  ['in verbatim HTML', '<pre>\nBug: T1\n\nBug: T2\n</pre>\nBug: T3', [3]],
])

describe('of lines that look like one and are none the first is quoted, with what would be one:', () => {
  const long = `Bug: T1 ${'x'.repeat(200)}`
  // biome-ignore format: a list
  const misses = [
    '**Bug:** T142', '**Bug**: T142', '- Bug: T142', '* [ ] Bug: T142', '1. Bug: T142', 'Bug: [T142](https://phabricator.example/T142)',
    'Bug: #T142', 'BUG: T142', 'Bug : T142', 'Bug: T142.', 'Bug: T0', 'Bug: T9999999999', 'Bug: 142', 'Bug: t142', 'Bugs: T142',
    'Bug T142', 'Bug: T142 (partly)', '    Bug: T142', '| Bug: T142 |', 'Bug: https://phabricator.evil.example/T142',
  ]
  for (const line of misses)
    test(line, () => {
      for (const text of [line, `Mend it\n\n${line}\nBugs: T9`, `Mend it\r\n\r\n${line}  \r\n`])
        assert.equal(nearMiss(text, phabricator), `“${line.trim()}” is none, it takes a line with nothing on it but \`Bug: T123\``)
    })
  test('one that is long, which is cut', () => assert.match(nearMiss(long, phabricator) ?? '', /^“Bug: T1 x{71}…” is none/))
  test('one that breaks the line or turns the writing', () => {
    assert.match(nearMiss('Bug: T1\u2028\u0007\u202e.', phabricator) ?? '', /^“Bug: T1 \.” is none/)
  })
  for (const text of ['`Bug: T142`', '> Bug: T142', '```\nBug: T142\n```', '<!-- Bug: T142 -->', '    <pre>\n<pre>\nBug: T142'])
    test(`${JSON.stringify(text)}, by where it stands`, () => {
      assert.match(nearMiss(text, phabricator) ?? '', /^“.*Bug: T142.*” is in code, a quotation or a comment$/)
    })
  for (const text of ['', 'Bug: T1', 'bug:T1\n> Bug: T2', 'Debug: T1', 'Fixes T1', 'Bug:', 'A bug in T1', 'See Bug: T1', 'Bug:\nT1'])
    test(`but not in ${JSON.stringify(text)}`, () => assert.equal(nearMiss(text, phabricator), undefined))
})

const million = 1_000_000
const growing = Array.from({ length: 1400 }, (_, index) => '`'.repeat(index + 1)).join('x')
const hostile = {
  'one line of backticks': '`'.repeat(million),
  'lines of backticks': '`\n'.repeat(million / 2),
  'runs of backticks, each longer than the last': growing,
  'pairs of backticks': '`a` ``b` '.repeat(million / 9),
  'opened comments': '<!--'.repeat(million / 4),
  'opened comments in paragraphs': 'x <!--\n\n'.repeat(million / 8),
  'opened comments inside a line': `x${'<!--'.repeat(million / 4)}`,
  'closed comments': '<!---->'.repeat(million / 7),
  'marks of quotations': '>'.repeat(million),
  'long quotations': '>>> \n'.repeat(million / 5),
  'quotations in long ones': `>>>>\n${'>>>\n'.repeat(million / 4)}`,
  fences: '```\n'.repeat(million / 4),
  'fences that do not match': '~~~\n```\n'.repeat(million / 8),
  'marks of list items': '- '.repeat(million / 2),
  'list items with fences': '- ```\nx\n'.repeat(million / 8),
  'blanks inside a line': `Bug: T1${' '.repeat(million)}x`,
  'blanks before a line': `${' '.repeat(million)}Bug: T1`,
  commas: `Bug: ${','.repeat(million)}`,
  'short lines': 'a\n'.repeat(million / 2),
  'empty lines': '\n'.repeat(million),
  'many tasks': 'Bug: T1\n'.repeat(million / 8),
  'one number': `Bug: T${'1'.repeat(million)}`,
  'opened verbatim HTML': '<pre\n\n'.repeat(million / 6),
}

describe('a megabyte is read in about a second, were it nothing but', () => {
  for (const [what, text] of Object.entries(hostile)) {
    test(what, () => {
      const ms = effortOf(() => [tasks(text), nearMiss(text, phabricator)])
      assert.ok(ms < 4000, `it took ${ms} ms`)
    })
  }
})

// biome-ignore format: a list
const pieces = fc.constantFrom(
  'Bug: T1', 'bug:T2', 'Bug:', ' T3', ', ', '\n', '\n\n', '\r\n', '\r', '`', '``', '```', '~~~', '<!--', '-->', '> ', '>>>',
  '    ', '\t', '- ', '1. ', '\\', '<pre>', '</pre>', 'https://phabricator.example/T4', '\u2028', '\u0000', '\ud800', 'x',
)

test('whatever is written, the answer is a list of different whole numbers from 1', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join('')),
        fc.string({ unit: 'binary' }),
      ),
      (text) => {
        const found = tasks(text)
        assert.ok(found.every((task) => Number.isSafeInteger(task) && task >= 1))
        assert.equal(new Set(found).size, found.length)
      },
    ),
    { numRuns: 3000 },
  )
})

test('a line after a blank one counts after anything that is closed', () => {
  const closed = fc.constantFrom('text', '`a`', '<!-- a -->', '```\na\n```', '> a', '>>>\na\n>>>', '- a', '    a', '# a', '~~~\n```\n~~~')
  fc.assert(
    fc.property(fc.array(closed, { maxLength: 12 }), (parts) => {
      assert.deepEqual(tasks([...parts, 'Bug: T7'].join('\n\n')), [7])
    }),
  )
})

test('of more tasks than a thousand the first are read', () => {
  const numbers = Array.from({ length: 1500 }, (_, index) => index + 1)
  const lines = numbers.map((number) => `Bug: T${number}`).join('\n')
  assert.deepEqual(tasksIn(lines, 'https://phabricator.example'), numbers.slice(0, 1000))
  assert.deepEqual(tasksIn(`Bug: ${numbers.map((number) => `T${number}`).join()}`, 'https://phabricator.example'), numbers.slice(0, 1000))
})
