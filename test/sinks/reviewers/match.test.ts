import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ChangedFile } from '#sinks/gitlab/gitlab.ts'
import { defaultLimits, type WorkLimits } from '#sinks/gitlab-mentions/reviewers/budget.ts'
import { match, needsFiles } from '#sinks/gitlab-mentions/reviewers/match.ts'
import { parsePage, type ReviewersPage } from '#sinks/gitlab-mentions/reviewers/page.ts'
import { heading, mention, nowiki, page, template } from './tree-of.ts'

// Far from any limit, so that a busy machine changes nothing.
const patient: WorkLimits = {
  ...defaultLimits,
  totalMs: 60_000,
  expressionsMs: 60_000,
  backtrackingMs: 60_000,
  linearMs: 10_000,
  backtrackMs: 10_000,
}
const changed = (...paths: string[]): ChangedFile[] => paths.map((path) => ({ path, isNew: false }))
const added = (...paths: string[]): ChangedFile[] => paths.map((path) => ({ path, isNew: true }))
const read = (...parts: string[]) => parsePage(page(...parts))
const below = (...mentions: string[]) => read(heading('*'), ...mentions)
const names = async (of: ReviewersPage, files: ChangedFile[], project = 'repos/x') => (await match(of, project, files, patient)).usernames

const fixture = parsePage(readFileSync(new URL('../../fixtures/reviewers/page.xml', import.meta.url), 'utf8'))

test('all sections that fit the project list their people, in page order, each once whatever the case', async () => {
  assert.deepEqual(await match(fixture, 'repos/tools/clock', [...changed('a.php'), ...added('docs/x')]), {
    usernames: ['alice', 'bob', 'carol'],
    problems: [{ section: '*', entry: 'broken', line: 19, reason: 'its file_regexp is not valid (missing closing ): `\\.(css`)' }],
  })
  assert.deepEqual(await names(fixture, changed('i18n/en.json'), 'repos/other'), ['translator'])
  assert.deepEqual(await names(fixture, [], 'repos/tools/x/y'), ['alice'])
})

test('the files are needed only where an entry of a fitting section asks about them', () => {
  const sections = read(
    heading('any'),
    mention('a'),
    heading('re'),
    mention('a', 'file_regexp=x'),
    heading('new'),
    mention('a', 'only_match_new_files'),
  )
  const answers = ['any', 're', 'new', 'other'].map((project) => needsFiles(sections, project))
  assert.deepEqual(answers, [false, true, true, false])
  assert.equal(needsFiles(below(mention('a', 'match_all_files')), 'x'), true)
  assert.equal(needsFiles(parsePage('<root/>'), 'x'), false)
})

test('of a renamed file the old path counts as much as the new one', async () => {
  const renamed: ChangedFile[] = [{ path: 'new/a', oldPath: 'old/a', isNew: false }]
  assert.deepEqual(await names(below(mention('a', 'file_regexp=^old/'), mention('b', 'file_regexp=^new/')), renamed), ['a', 'b'])
  assert.deepEqual(await names(below(mention('a', 'file_regexp=^old/', 'match_all_files')), [...renamed, ...changed('old/b')]), ['a'])
  assert.deepEqual(await names(below(mention('a', 'file_regexp=^old/', 'match_all_files')), [...renamed, ...changed('b')]), [])
})

test('of several changed files one is enough, with match_all_files all must fit, with only_match_new_files the added ones', async () => {
  const of = below(
    mention('any', 'file_regexp=^src/'),
    mention('whole', 'file_regexp=^src/', 'match_all_files'),
    mention('new', 'file_regexp=^src/', 'only_match_new_files'),
    mention('whole-new', 'file_regexp=^src/', 'match_all_files', 'only_match_new_files'),
  )
  assert.deepEqual(await names(of, changed('src/a', 'src/b')), ['any', 'whole'])
  assert.deepEqual(await names(of, changed('src/a', 'b')), ['any'])
  assert.deepEqual(await names(of, [...changed('a'), ...added('src/b')]), ['any', 'new', 'whole-new'])
  assert.deepEqual(await names(of, [...changed('src/a'), ...added('b')]), ['any'])
  assert.deepEqual(await names(of, [...changed('a'), ...added('src/b', 'b')]), ['any', 'new'])
})

// The faults of the reader this one follows, by their numbers in its description.
test('B1, B2: an entry about new files leaves all files to the entries after it, in its section and in later ones', async () => {
  const of = read(
    heading('*'),
    mention('a', 'file_regexp=^none', 'only_match_new_files'),
    mention('b', 'file_regexp=^src/'),
    heading('x'),
    mention('c', 'file_regexp=^src/'),
  )
  assert.deepEqual(await names(of, [...changed('src/a'), ...added('new')], 'x'), ['b', 'c'])
})

test('B3: without files nobody is listed for all files', async () => {
  assert.deepEqual(
    await names(below(mention('a', 'match_all_files'), mention('b', 'file_regexp=x', 'match_all_files'), mention('c')), []),
    ['c'],
  )
  assert.deepEqual(await names(below(mention('a', 'match_all_files', 'only_match_new_files')), changed('x')), [])
})

test('B4: an invalid expression lists nobody, never everybody, and is reported', async () => {
  for (const expression of ['(unclosed[', '*.php', '\\.(css', '(?!x)(']) {
    for (const flag of ['', 'match_all_files', 'only_match_new_files']) {
      const result = await match(below(mention('a', `file_regexp=${nowiki(expression)}`, flag), mention('b')), 'x', added('a.php'))
      assert.deepEqual(result.usernames, ['b'])
      assert.deepEqual(result.problems.map(({ section, entry }) => [section, entry]), [['*', 'a']]) // biome-ignore format: one line
    }
  }
})

test('B5: an empty expression or an empty nowiki means any file', async () => {
  const empty = ['', nowiki(''), '<ext><name>nowiki</name><attr/></ext>']
  for (const value of empty) assert.deepEqual(await names(below(mention('a', `file_regexp=${value}`)), changed('x')), ['a'])
})

test('B6: blanks around nowiki are no expression', async () => {
  const of = below(mention('a', `file_regexp= ${nowiki('^src/')}\n`))
  assert.deepEqual([await names(of, changed('src/a')), await names(of, changed('a b'))], [['a'], []])
})

test('B7: every= does not leave anybody out', async () => {
  assert.deepEqual(await names(below(mention('a', 'every=10'), mention('b', 'every=2')), changed('x')), ['a', 'b'])
})

test('B8: templates over several lines and names in other cases are read', async () => {
  const of = below(template('gitlab-mention\n', 'a\n', ' File_regexp = ^src/\n', ' Match_all_files\n'))
  assert.deepEqual([await names(of, changed('src/a')), await names(of, changed('src/a', 'b'))], [['a'], []])
})

test('B9: a person given by number is listed, an entry without a person is skipped', async () => {
  assert.deepEqual(await names(below(mention('1=a'), mention(), mention('file_regexp=x'), mention('b')), changed('x')), ['a', 'b'])
})

test('B10: what stands in a nested template does not become part of the entry around it', async () => {
  const of = below(
    mention('a', `file_regexp=${template('Php', 'b', 'file_regexp=x')}`),
    mention('c', `note=${template('Note', 'd', 'file_regexp=^none')}`),
  )
  assert.deepEqual(await names(of, changed('x')), ['c'])
})

test('B11: match_all_files=no is no, and a flag is not a person', async () => {
  assert.deepEqual(await names(below(mention('a', 'file_regexp=^src/', 'match_all_files=no')), changed('src/a', 'b')), ['a'])
  assert.deepEqual(await names(below(mention('match_all_files'), mention('only_match_new_files')), changed('x')), [])
})

test('B12: a comment in a heading hides nothing of it', async () => {
  const of = read(heading('repos/<comment>&lt;!-- c --&gt;</comment>x<comment>&lt;!-- d --&gt;</comment>'), mention('a'))
  assert.deepEqual([await names(of, [], 'repos/x'), await names(of, [], 'repos/')], [['a'], []])
})

test('asking twice gives the same, problems included', async () => {
  const first = await match(fixture, 'repos/tools/clock', changed('a.php'))
  assert.deepEqual(await match(fixture, 'repos/tools/clock', changed('a.php')), first)
  assert.deepEqual(first.usernames, ['alice', 'bob'])
})

test('of more than three thousand files the first ones are looked at, and that is reported', async () => {
  const files = changed(...Array.from({ length: 3001 }, (_, index) => `src/${index}`))
  assert.deepEqual(await match(below(mention('a', 'file_regexp=/2999$'), mention('b', 'file_regexp=/3000$')), 'x', files), {
    usernames: ['a'],
    problems: [{ reason: 'only the first 3000 of 3001 changed files were looked at' }],
  })
})

test('a machine that has no time for it costs nobody their mention', async (t) => {
  let clock = 0
  t.mock.method(performance, 'now', () => (clock += 1000))
  const expressions = ['/2$', '(?!x)/2$', '/3$', '(?!x)/3$', '^x/', '(?!x)x/'].map((expression) => `file_regexp=${expression}`)
  const { usernames, problems } = await match(
    below(...expressions.map((expression, index) => mention(`u${index}`, expression))),
    'x',
    changed('src/1', 'src/2', 'src/3'),
  )
  assert.deepEqual([usernames, problems], [['u0', 'u1', 'u2', 'u3'], []])
})

test('any mix of entries and files lists whom the rules list, written down once more', async () => {
  const file = fc.record(
    { path: fc.constantFrom('a', 'b', 'ab'), isNew: fc.boolean(), oldPath: fc.constantFrom('a', 'c') },
    { requiredKeys: ['path', 'isNew'] },
  )
  const entry = fc.record({
    expression: fc.constantFrom('', 'a', '^b', 'c$', '(?!a)b', '('),
    all: fc.boolean(),
    added: fc.boolean(),
    section: fc.constantFrom('*', 'x', 'y'),
  })
  const check = fc.asyncProperty(fc.array(entry, { maxLength: 6 }), fc.array(file, { maxLength: 4 }), async (entries, files) => {
    const of = read(
      ...entries.flatMap(({ expression, all, added: isAdded, section }, index) => [
        heading(section),
        mention(`u${index}`, `file_regexp=${expression}`, `match_all_files=${all ? 1 : 0}`, isAdded ? 'only_match_new_files' : ''),
      ]),
    )
    const expected = entries.flatMap(({ expression, all, added: isAdded, section }, index) => {
      if (section === 'y' || expression === '(') return []
      if (expression === '' && !all && !isAdded) return [`u${index}`]
      const hits = files
        .filter((one) => one.isNew || !isAdded)
        .map((one) => [one.path, one.oldPath ?? one.path].some((path) => path.search(expression) >= 0))
      return hits.length > 0 && (all ? !hits.includes(false) : hits.includes(true)) ? [`u${index}`] : []
    })
    assert.deepEqual(await names(of, files, 'x'), expected)
  })
  await fc.assert(check, { numRuns: 300 })
})
