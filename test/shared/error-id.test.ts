// Errors of one kind share a fingerprint, whatever numbers, names and ids stand in them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commonWords, errorId, inWords } from '#shared/process/errors.ts'

test('what differs from one failure to the next is folded out', () => {
  const same: string[][] = [
    ['Monogram "T9999" does not identify a valid object.', 'Monogram "T1" does not identify a valid object.'],
    ['GitLab answers 404: {"message":"404 Not found"}', 'GitLab answers 404: {"message":"404 Not found"}'],
    ['took 12 ms', 'took 3456 ms'],
    ['see http://a.example/1 for more', 'see https://b.example/x?y=2 for more'],
    ['no object PHID-TASK-abc123def', 'no object PHID-USER-zzz999yyy'],
  ]
  for (const [a = '', b = ''] of same) assert.equal(errorId(a), errorId(b), a)
  assert.notEqual(errorId('not allowed'), errorId('not found'))
  assert.match(errorId('anything'), /^[0-9a-f]{12}$/)
})

test('what two failures of one kind have in common keeps what is the same, but for the number of a task', () => {
  const rows: Array<[one: string, other: string, common: string]> = [
    ['Monogram "T9999" does not exist.', 'Monogram "T10" does not exist.', 'Monogram "T…" does not exist.'],
    ['comment on T10, 404', 'comment on T10, 404', 'comment on T…, 404'],
    ['no project `a/b`, 404 at https://a.example/1', 'no project `c`, 404 at https://b.example', 'no project `…`, 404 at …'],
    ['took 12 ms of 99', 'took 3456 ms of 99', 'took … ms of 99'],
  ]
  for (const [one, other, common] of rows) assert.equal(commonWords(one, other), common)
})

test('an error is told in one line, with the reason behind it', () => {
  assert.equal(inWords(new Error('could not\n  write', { cause: new Error('disk full') })), 'could not write: disk full')
  assert.equal(inWords('text'), 'text')
  assert.equal(inWords(new Error('x'.repeat(1000))).length, 500)
})
