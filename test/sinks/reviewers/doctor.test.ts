// What `doctor` says of the reviewers page.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { checkReviewers } from '#sinks/gitlab-mentions/doctor.ts'
import { startAnswering } from '../../support/answers.ts'

const { signal } = new AbortController()
const names = Array.from({ length: 28 }, (_, index) => `gone-${index}`)
const entry = (name: string) => `<template><title>Gitlab-mention</title><part><name index="1"/><value>${name}</value></part></template>\n`
const tree = `<root><h level="2" i="1">== * ==</h>\n${['alice', ...names].map(entry).join('')}</root>`
const settingsAt = (url: string) => ({
  REVIEWERS_API_URL: `${url}/w/api.php`,
  REVIEWERS_PAGE: 'Git/Reviewers',
  GITLAB_URL: url,
  GITLAB_TOKEN: () => 'glpat-secret-secret-secret',
})

test('users whom GitLab does not know are one warning with their names, and are asked for side by side', async () => {
  // Nobody is told of until four are asked for.
  const waiting: Array<() => void> = []
  function answerUser(path: string, response: ServerResponse): undefined {
    const name = new URLSearchParams(path.split('?')[1]).get('username')
    const body = name === 'alice' ? [{ id: 1, username: 'alice', state: 'active' }] : []
    waiting.push(() => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body)))
    if (remote.asked.length > 4) for (const say of waiting.splice(0)) say()
  }
  await using remote = await startAnswering(({ path }, response) =>
    path.startsWith('/w/') ? { body: { parse: { parsetree: tree } } } : answerUser(path, response),
  )
  const findings = await checkReviewers(settingsAt(remote.url), signal)
  assert.deepEqual(
    findings.map(({ state }) => state),
    ['warning'],
  )
  const [{ message } = { message: '' }] = findings
  assert.match(message, /^28 times, GitLab knows no user of that name: gone-0 \(line 3\), gone-1 \(line 4\), .*gone-27 \(line 30\)$/)
})

test('a page that does not exist is wrong, and may be a typo', async () => {
  await using remote = await startAnswering({ body: { error: { code: 'missingtitle', info: 'The page does not exist.' } } })
  const [finding] = await checkReviewers(settingsAt(remote.url), signal)
  assert.equal(finding?.state, 'wrong')
  assert.match(finding.message, /Git\/Reviewers does not exist, so nobody is mentioned: a typo in REVIEWERS_PAGE\?$/)
})
