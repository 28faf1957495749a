import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { NotAPage, parsePage } from '#sinks/gitlab-mentions/reviewers/page.ts'
import { heading, mention, nowiki, page, template } from './tree-of.ts'

const plain = { matchAllFiles: false, onlyMatchNewFiles: false }
const section = (...mentions: string[]) => parsePage(page(heading('repos/x'), ...mentions))
const entriesOf = (...mentions: string[]) =>
  section(...mentions).sections[0]?.entries.map((entry) => Object.fromEntries(Object.entries(entry).filter(([name]) => name !== 'line')))
const reasonsOf = (...mentions: string[]) => section(...mentions).problems.map(({ reason }) => reason)

test('a page is its headings in page order with the people below each', () => {
  const fixture = readFileSync(new URL('../../fixtures/reviewers/page.xml', import.meta.url), 'utf8')
  assert.deepEqual(parsePage(fixture), {
    sections: [
      {
        name: 'repos/tools/*',
        entries: [
          { line: 4, username: 'alice', ...plain },
          { line: 5, username: 'bob', fileRegexp: '\\.(php|inc)$', ...plain },
        ],
      },
      {
        name: 'repos/tools/clock',
        entries: [
          { line: 10, username: 'carol', fileRegexp: '^docs/', matchAllFiles: false, onlyMatchNewFiles: true },
          { line: 15, username: 'Alice', ...plain },
        ],
      },
      {
        name: '*',
        entries: [
          { line: 18, username: 'translator', fileRegexp: '^i18n/', matchAllFiles: true, onlyMatchNewFiles: false },
          { line: 19, username: 'broken', fileRegexp: '\\.(css', ...plain },
        ],
      },
    ],
    problems: [
      {
        section: '*',
        entry: 'broken',
        line: 19,
        reason: 'the value "js)$" has no meaning and is ignored; a pipe in file_regexp needs <nowiki> around it',
      },
    ],
    suspicious: false,
  })
})

const titles: Array<[string, boolean]> = [
  ['Gitlab-mention', true],
  ['gitlab-mention', true],
  ['  Gitlab-mention\n', true],
  ['_Gitlab-mention_', true],
  ['Template:Gitlab-mention', true],
  ['template: gitlab-mention', true],
  ['TEMPLATE :_Gitlab-mention', true],
  ['Gitlab-mention<comment>&lt;!-- c --&gt;</comment>', true],
  [':Gitlab-mention', false],
  ['GITLAB-MENTION', false],
  ['Gitlab mention', false],
  ['Gitlab_mention', false],
  ['Gerrit-reviewer', false],
  ['User:Gitlab-mention', false],
  ['msgnw:Gitlab-mention', false],
  [`${template('Gitlab-mention')}`, false],
]

test('a template is a mention by its name, whatever its first letter, its blanks and its namespace look like', () => {
  for (const [title, counts] of titles) {
    assert.deepEqual(entriesOf(template(title, 'alice')), counts ? [{ username: 'alice', ...plain }] : [], title)
  }
})

const people: Array<[string, string | undefined]> = [
  [mention('alice'), 'alice'],
  [mention(' alice\n'), 'alice'],
  [mention('@alice'), 'alice'],
  [mention('1=alice'), 'alice'],
  [mention(' 1 = alice '), 'alice'],
  [mention('first', '1=second'), 'second'],
  [mention('1=first', 'second'), 'second'],
  [mention('file_regexp=', 'alice'), 'alice'],
  [mention(nowiki('alice')), 'alice'],
  [mention('ali<comment>&lt;!-- typo? --&gt;</comment>ce'), 'alice'],
  [mention('_a.b-c_9'), '_a.b-c_9'],
  [mention('a'.repeat(255)), 'a'.repeat(255)],
  [mention('a'.repeat(256)), undefined],
  [mention(), undefined],
  [mention(''), undefined],
  [mention('@'), undefined],
  [mention('@@alice'), undefined],
  [mention('all'), undefined],
  [mention('-alice'), undefined],
  [mention('Alice Liddell'), undefined],
  [mention('älice'), undefined],
  [mention('group/alice'), undefined],
  [mention('[[User:Alice|alice]]'), undefined],
  [mention('alice\n/close'), undefined],
  [mention('match_all_files'), undefined],
  [mention('only_match_new_files', 'match_all_files'), undefined],
  [mention(template('Someone')), undefined],
  [mention(mention('alice')), undefined],
  [mention('<tplarg><title>1</title></tplarg>'), undefined],
  [mention('<ext><name>ref</name><attr/><inner>alice</inner></ext>'), undefined],
]

test('whoever is no GitLab user name is left out and reported', () => {
  for (const [xml, username] of people) {
    assert.deepEqual(entriesOf(xml), username ? [{ username, ...plain }] : [], xml)
    assert.equal(reasonsOf(xml).length, username ? 0 : 1, xml)
  }
})

const expressions: Array<[string, string | undefined]> = [
  ['^src/', '^src/'],
  ['a=b', 'a=b'],
  [nowiki('a|b{2}'), 'a|b{2}'],
  [` ${nowiki('^x')}\n`, '^x'],
  [`foo${nowiki('|')}bar`, 'foo|bar'],
  [nowiki('a|b') + nowiki('|c'), 'a|b|c'],
  [nowiki('<a> & "b"'), '<a> & "b"'],
  [nowiki('^x').replace('nowiki', 'NoWiki'), '^x'],
  ['^x<comment>&lt;!-- c --&gt;</comment>y$', '^xy$'],
  [`css${template('!')}js`, 'css|js'],
  [`css${template(' ! ')}js`, 'css|js'],
  ['', undefined],
  ['  \n', undefined],
  [nowiki(''), undefined],
  ['<ext><name>nowiki</name><attr/></ext>', undefined],
  ['<comment>&lt;!-- c --&gt;</comment>', undefined],
]

test('an entry without a readable name is reported by its place in the section', () => {
  const { problems } = parsePage(page(heading('a'), mention('x'), heading('b'), mention('ok'), mention(), template('Other'), mention('')))
  assert.deepEqual(
    problems.map(({ section, entry }) => `${section}: ${entry}`),
    ['b: entry 2', 'b: entry 3'],
  )
})

test('an expression is read with all that is in it, and an empty one is none', () => {
  for (const [xml, fileRegexp] of expressions) {
    assert.deepEqual(
      entriesOf(mention('alice', `file_regexp=${xml}`)),
      [{ username: 'alice', ...(fileRegexp && { fileRegexp }), ...plain }],
      xml,
    )
  }
  assert.equal(entriesOf(mention('alice', 'file_regexp=a', 'file_regexp=b'))?.[0]?.fileRegexp, 'b')
})

test('an entry whose expression or flag cannot be known mentions nobody and is reported', () => {
  const unknown = [
    template('Php-files'),
    template('!', 'x'),
    '<tplarg><title>1</title></tplarg>',
    '<ext><name>pre</name><inner>x</inner></ext>',
  ]
  for (const value of unknown) {
    for (const part of [`file_regexp=x${value}`, `match_all_files=${value}`, value]) {
      assert.deepEqual(entriesOf(mention('alice', part)), [], part)
      assert.match(reasonsOf(mention('alice', part)).join(), /cannot be expanded here/)
    }
  }
  assert.deepEqual(entriesOf(mention('alice', `file_regexp=${template('A')}`, 'file_regexp=b'))?.[0]?.fileRegexp, 'b')
})

const flags: Array<[string[], boolean]> = [
  [['match_all_files'], true],
  [[' match_all_files\n'], true],
  [['Match_All_Files'], true],
  [['2=match_all_files'], true],
  [['', '', 'match_all_files'], true],
  [['match_all_files=1'], true],
  [['match_all_files=yes'], true],
  [[' Match_all_files = Yes '], true],
  [['match_all_files=no', 'match_all_files=yes'], true],
  [[], false],
  [['match_all_files='], false],
  [['match_all_files= '], false],
  [['match_all_files=No'], false],
  [['match_all_files=0'], false],
  [['match_all_files=FALSE'], false],
  [['match_all_files=yes', 'match_all_files=no'], false],
  [['match_all_files', '2=other'], false],
]

test('a flag is set by its bare name or by any value that does not say no', () => {
  for (const [parts, set] of flags) {
    assert.equal(entriesOf(mention('alice', ...parts))?.[0]?.matchAllFiles, set, parts.join('|'))
    const other = parts.map((part) => part.replace(/match_all_files/i, 'only_match_new_files'))
    assert.equal(entriesOf(mention('alice', ...other))?.[0]?.onlyMatchNewFiles, set, other.join('|'))
  }
})

test('what has no meaning is reported and otherwise ignored', () => {
  assert.deepEqual(reasonsOf(mention('alice', 'every=10')), ['every= is ignored: this reader mentions people on each merge request'])
  assert.deepEqual(reasonsOf(mention('alice', 'file_regex=x')), ['the parameter "file_regex" is not known and ignored'])
  assert.match(reasonsOf(mention('alice', 'whatever')).join(), /"whatever" has no meaning/)
  assert.equal(entriesOf(mention('alice', 'every=10'), mention('bob', 'file_regex=x'), mention('carol', 'x'))?.length, 3)
})

const headings: Array<[string, string]> = [
  ['<h level="2" i="1">== repos/x ==</h>', 'repos/x'],
  ['<h level="2" i="1">==repos/x==</h>', 'repos/x'],
  ['<h level="1" i="1">=  repos/x   =   </h>', 'repos/x'],
  ['<h level="6" i="1">====== repos/x ======</h>', 'repos/x'],
  ['<h level="2" i="1">=== repos/x ==</h>', 'repos/x'],
  [heading(nowiki('repos/[!x]*')), 'repos/[!x]*'],
  [heading('repos/<comment>&lt;!-- c --&gt;</comment>x'), 'repos/x'],
  ['<h level="2" i="1">== repos/x == <comment>&lt;!-- c --&gt;</comment></h>', 'repos/x'],
  [heading('a &lt;b&gt; &amp;amp; c'), 'a <b> &amp; c'],
  ['<h level="2" i="1">==  ==</h>', ''],
]

test('the name of a section is its heading without signs, comments and blanks around', () => {
  for (const [xml, name] of headings) {
    const { sections } = parsePage(page(xml, mention('alice')))
    assert.deepEqual(
      sections.map((section) => [section.name, section.entries.map(({ username }) => username)]),
      [[name, ['alice']]],
      xml,
    )
  }
})

test('below a heading that cannot be read nobody is mentioned, and that is reported', () => {
  for (const inside of [
    template('Group'),
    '<tplarg><title>1</title></tplarg>',
    '<ext><name>ref</name><inner>x</inner></ext>',
    'x'.repeat(501),
  ]) {
    const read = parsePage(page(heading('before'), heading(`repos/${inside}`), mention('alice'), heading('after'), mention('bob')))
    assert.deepEqual(read.sections.map(({ name, entries }) => [name, entries.length]), [['before', 0], ['after', 1]]) // biome-ignore format: a table
    assert.equal(read.problems.length, 1)
    assert.equal(read.suspicious, false)
  }
})

test('templates in tables, boxes and noinclude count; in comments, nowiki, pre, other templates and before the first heading they do not', () => {
  const read = parsePage(
    page(
      mention('before'),
      heading('*'),
      `{| class=&quot;wikitable&quot;\n| ${mention('in-table')}\n|}`,
      `&lt;div&gt;${mention('in-box')}&lt;/div&gt;`,
      `<ignore>&lt;noinclude&gt;</ignore>${mention('in-noinclude')}<ignore>&lt;/noinclude&gt;</ignore>`,
      nowiki('{{Gitlab-mention|in-nowiki}}'),
      '<ext><name>pre</name><attr/><inner>{{Gitlab-mention|in-pre}}</inner><close>&lt;/pre&gt;</close></ext>',
      '<comment>&lt;!-- {{Gitlab-mention|in-comment}} --&gt;</comment>',
      '<ignore>&lt;includeonly&gt;{{Gitlab-mention|in-includeonly}}&lt;/includeonly&gt;</ignore>',
      template('#if:1', mention('in-parser-function')),
      template('Note', mention('in-template')),
      `<tplarg><title>1</title><part><name index="1"/><value>${mention('in-default')}</value></part></tplarg>`,
    ),
  )
  assert.deepEqual(read.sections[0]?.entries.map(({ username }) => username), ['in-table', 'in-box', 'in-noinclude']) // biome-ignore format: one line
  assert.deepEqual(read.problems, [])
})

test('a page without any heading is suspicious', () => {
  assert.deepEqual(parsePage('<root/>'), { sections: [], problems: [], suspicious: true })
  assert.deepEqual(parsePage(page('{{{{{{', mention('alice'))), { sections: [], problems: [], suspicious: true })
  assert.equal(parsePage(page(heading('x'))).suspicious, false)
  assert.equal(parsePage(page(heading(template('Group')))).suspicious, false)
})

test('anything but a whole parse tree is not a page', () => {
  const whole = page(heading('*'), mention('alice'))
  const others = [
    '',
    ' ',
    'text',
    '<!DOCTYPE html><html></html>',
    '<html><body/></html>',
    '<!DOCTYPE root><root/>',
    '<root></rot>',
    '{"error": {}}',
  ]
  const broken = [
    '<root>&nbsp;</root>',
    '<root>\u0000</root>',
    '<root><h></root></h>',
    '<root/><root/>',
    `${whole}x`,
    '<root/>x',
    '<root>&x</root>',
  ]
  const entities = '<!DOCTYPE root [<!ENTITY a "b">]><root>&a;</root>'
  for (const text of [...others, ...broken, entities]) assert.throws(() => parsePage(text), NotAPage, text)
  for (let length = 0; length < whole.length; length++) assert.throws(() => parsePage(whole.slice(0, length)), NotAPage)
})

test('whatever the wiki answers, reading it gives a page or NotAPage and nothing else', () => {
  const scrap = fc.constantFrom(
    '<root>',
    '</root>',
    '<root/>',
    '<h>',
    '</h>',
    '== a ==',
    '<template>',
    '</template>',
    '<title>',
    '</title>',
    '<part>',
  )
  const more = fc.constantFrom(
    '</part>',
    '<name index="1"/>',
    '<name>',
    '</name>',
    '<value>',
    '</value>',
    'Gitlab-mention',
    '&amp;',
    '&constructor;',
    '<![CDATA[',
    ']]>',
  )
  const tree = fc.array(fc.oneof(scrap, more, fc.string())).map((scraps) => scraps.join(''))
  const check = fc.property(
    fc.oneof(
      tree,
      tree.map((inside) => `<root>${inside}</root>`),
      fc.string({ unit: 'binary' }),
    ),
    (text) => {
      try {
        parsePage(text)
      } catch (error) {
        assert.ok(error instanceof NotAPage, String(error))
      }
    },
  )
  fc.assert(check, { numRuns: 1000 })
})

test('elements in an unexpected shape name nobody', () => {
  for (const xml of [
    '<template/>',
    '<template><title/></template>',
    '<template>Gitlab-mention</template>',
    '<h/><template><title>Gitlab-mention</title><part/></template>',
  ]) {
    assert.deepEqual(entriesOf(xml), [], xml)
  }
})

test('ten thousand nested templates and twenty thousand in a row are read in time', () => {
  const depth = 10_000
  const nested = `${'<template><title>a</title><part><name index="1"/><value>'.repeat(depth)}${'</value></part></template>'.repeat(depth)}`
  const row = Array.from({ length: 20_000 }, (_, index) => mention(`user${index}`, `file_regexp=${nowiki(`^src/${index}/`)}`))
  const began = process.threadCpuUsage()
  const read = parsePage(page(heading('*'), nested, ...row))
  const { user, system } = process.threadCpuUsage(began)
  assert.ok(user + system < 1_500_000, `${user + system} µs`)
  assert.equal(read.sections[0]?.entries.length, 20_000)
})
