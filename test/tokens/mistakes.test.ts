// Secrets that are given as files, and cannot be used.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startProcess } from '../support/service.ts'

test('every file that cannot be used is a mistake of its own, in either process', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-mistakes-'))
  const path = (name: string) => join(directory, name)
  await writeFile(path('old'), 'hush')
  await writeFile(path('empty'), '\n')
  await writeFile(path('nonsense'), 'hush')
  const ingest = startProcess('ingest', {
    SOURCE_TOKEN: 'hush',
    SOURCE_TOKEN_FILE: path('old'),
    SOURCE_TOKEN_OLD_FILE: path('empty'),
    SOURCE_SIGNING_KEY_FILE: path('nonsense'),
    REDIS_URL_FILE: path('nonsense'),
  })
  const worker = startProcess('worker', {
    GITLAB_TOKEN_FILE: path('not-there'),
    PHABRICATOR_TOKEN_FILE: directory,
    DATABASE_URL_FILE: path('nonsense'),
    OPS_TOKEN_FILE: path('empty'),
    TOOL_TOOLSDB_PASSWORD: 'hush',
    TOOL_TOOLSDB_PASSWORD_FILE: path('nonsense'),
  })
  const expected = {
    ingest: {
      SOURCE_TOKEN: /either SOURCE_TOKEN or SOURCE_TOKEN_FILE/,
      SOURCE_TOKEN_OLD: /empty/,
      SOURCE_SIGNING_KEY: /whsec_/,
      REDIS_URL: /redis:/,
    },
    worker: {
      GITLAB_TOKEN: /ENOENT/,
      PHABRICATOR_TOKEN: /EISDIR/,
      DATABASE_URL: /mysql:/,
      OPS_TOKEN: /empty/,
      TOOL_TOOLSDB_PASSWORD: /either/,
    },
  }
  for (const [started, names] of [
    [ingest, expected.ingest],
    [worker, expected.worker],
  ] as const) {
    assert.equal(await started.exit, 78)
    const mistakes = started.text().trimEnd().split('\n').slice(1)
    assert.equal(mistakes.length, Object.keys(names).length, started.text())
    for (const [name, what] of Object.entries(names)) assert.match(mistakes.find((line) => line.startsWith(`  ${name}_FILE: `)) ?? '', what)
    assert.ok(!started.text().includes('hush'), 'no value is printed')
  }
  await rm(directory, { recursive: true })
})
