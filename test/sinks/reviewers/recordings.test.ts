// What a real MediaWiki answered, where those recordings are at hand; the other tests here do without them.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { z } from 'zod'
import { match } from '#sinks/gitlab-mentions/reviewers/match.ts'
import { NotAPage, parsePage } from '#sinks/gitlab-mentions/reviewers/page.ts'

const folder = new URL('../../../../shared/fixtures/mediawiki/', import.meta.url)
const options = { skip: existsSync(folder) ? false : 'the recordings are not here' }
const tree = z.union([z.string(), z.object({ '*': z.string() }).transform((old) => old['*'])])
const recording = z.object({ response: z.object({ json: z.object({ parse: z.object({ parsetree: tree }) }) }) })
const recorded = (name: string) => readFileSync(new URL(`${name}.json`, folder), 'utf8')
const pageOf = (name: string) => parsePage(recording.parse(JSON.parse(recorded(name))).response.json.parse.parsetree)
const changed = (...paths: string[]) => paths.map((path) => ({ path, isNew: false }))

test('the page as it is today lists the right people', options, async () => {
  const page = pageOf('002-parse-parsetree-fv2')
  assert.equal(page.sections.length, 242)
  assert.deepEqual((await match(page, 'repos/releng/scap', changed('scap/lint.py', 'bin/x.sh'))).usernames, [
    'dancy',
    'jnuche',
    'bd808',
    'twentyafterfour',
    'hashar',
    'slow-regexp-2',
    'everything',
  ])
  const toolforge = await match(page, 'repos/cloud/toolforge/jobs', changed('src/Makefile'))
  assert.deepEqual(toolforge.usernames, [
    'lowercase-first',
    'spaced-name',
    'with-namespace',
    'multi-line',
    'explicit-index',
    'hashar',
    'two-on-a-line',
    'everything',
  ])
  assert.deepEqual(toolforge.problems.map(({ entry }) => entry), ['dcaro']) // biome-ignore format: one line
  assert.deepEqual(pageOf('001-parse-parsetree-fv1'), page)
})

test('the page of 2019 has its headings and mentions nobody on GitLab', options, async () => {
  const page = pageOf('006-parse-recorded')
  assert.equal(page.sections.length, 235)
  assert.deepEqual(await match(page, 'mediawiki/core', changed('a.php')), { usernames: [], problems: [] })
})

test('of the edge cases these people are read, and no others', options, () => {
  const page = pageOf('005-parse-edge')
  const people = page.sections.flatMap(({ entries }) => entries.map(({ username }) => username))
  const expected = `h2 h3 h4 h1 no-spaces trailing uneven comment-in-heading link-in-heading extlink-in-heading nowiki-in-heading bold-heading code-in-heading
    entity-in-heading empty-heading fnmatch-class fnmatch-negated fnmatch-unclosed dup-1 dup-2 belongs-to-dup with-at nowiki-name explicit-second
    re-dup re-pipe re-bang re-eq re-eq-nowiki re-mixed re-two re-lead-space re-comment re-entity re-empty re-empty-nowiki re-selfclosed re-upper
    re-code re-codenowiki re-python re-lookbehind re-brace re-glob re-newline re-catastrophic flags flags-spaced flags-empty flags-no flags-case unknown
    in-noinclude in-onlyinclude in-div in-table after-unclosed-nowiki last`
  assert.deepEqual(people, expected.split(/\s+/))
  assert.equal(page.problems.length, 16)
})

test('blanked, vandalised and redirect pages are suspicious; HTML is no page at all', options, () => {
  for (const name of ['090-parse-empty-page', '091-parse-braces', '092-parse-deep', '022-parse-redirect-not-followed'])
    assert.equal(pageOf(name).suspicious, true, name)
  const answer = z.object({ response: z.object({ text: z.string() }) })
  for (const name of ['041-error-unknown-format', '042-no-format']) {
    assert.throws(() => parsePage(answer.parse(JSON.parse(recorded(name))).response.text), NotAPage)
  }
})
