// Whole pages, of what people write well and of what they should not, as MediaWiki hands them over.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { match } from '#sinks/gitlab-mentions/reviewers/match.ts'
import { NotAPage, parsePage } from '#sinks/gitlab-mentions/reviewers/page.ts'
import { reviewersFile } from '../../support/fixtures.ts'

const changed = (...paths: string[]) => paths.map((path) => ({ path, isNew: false }))
const harbour = reviewersFile('harbour.xml')

test('a page lists the right people', async () => {
  const page = parsePage(harbour)
  assert.equal(page.sections.length, 10)
  const lantern = await match(page, 'harbour/lantern', changed('lantern/lint.py', 'bin/x.sh'))
  assert.deepEqual(lantern.usernames, ['marta', 'oke', 'tove', 'interrupted', 'rut', 'slow-too', 'everywhere'])
  const pier = await match(page, 'harbour/pier/jobs', changed('src/Makefile'))
  assert.deepEqual(pier.usernames, [
    'rut',
    'slow-too',
    'lower-case',
    'wide',
    'by-its-full-name',
    'on-lines',
    'numbered',
    'second-on-a-line',
    'everywhere',
  ])
  assert.deepEqual(pier.problems.map(({ entry }) => entry), ['broken', 'split']) // biome-ignore format: one line
})

test('a page of the time before GitLab has its headings and mentions nobody', async () => {
  const page = parsePage(`${harbour.slice(0, harbour.indexOf('<h level="2" i="5">'))}</root>`)
  assert.equal(page.sections.length, 4)
  assert.deepEqual(await match(page, 'harbour/old/tides', changed('a.php')), { usernames: [], problems: [] })
})

test('of what nobody should write these people are read, and no others', () => {
  const page = parsePage(reviewersFile('odd.xml'))
  const people = page.sections.flatMap(({ entries }) => entries.map(({ username }) => username))
  const expected = `two three four one tight wide uneven commented link away plain bold code entity nowhere class negated open once again still-twice
    at plain-name last p-twice p-pipe p-bang p-equals p-plain p-mixed p-two p-space p-comment p-entity p-empty p-empty-plain p-closed p-capitals
    p-code p-code-plain p-python p-behind p-brace p-glob p-line p-slow flags flags-wide flags-empty flags-no flags-capitals unknown
    in-noinclude in-onlyinclude in-div in-table after-that end`
  assert.deepEqual(people, expected.split(/\s+/))
  assert.equal(page.problems.length, 16)
})

test('blanked, vandalised and redirect pages are suspicious; HTML is no page at all', () => {
  const deep = `${'<template><title>a</title><part><name index="1"/><value>'.repeat(60)}x${'</value></part></template>'.repeat(60)}`
  for (const inside of ['', '{{{{{{{{', '#REDIRECT [[Harbour/Keepers]]', deep])
    assert.equal(parsePage(`<root>${inside}</root>`).suspicious, true, inside)
  assert.throws(() => parsePage('<!DOCTYPE html>\n<html><head><title>MediaWiki API result</title></head><body></body></html>'), NotAPage)
})
