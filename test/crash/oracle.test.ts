import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isUnderReview, judge, overlaps } from './oracle.ts'

const must = (text: string) => ({ text, required: true, forbidden: false })
const may = (text: string) => ({ text, required: false, forbidden: false })

function verdictOn(wanted: Parameters<typeof judge>[1], found: string[]): number[] {
  const { lost, doubled, disordered } = judge('T1', wanted, found)
  return [lost.length, doubled.length, disordered.length]
}

test('the oracle is content with what is due, with or without what nobody was told of', () => {
  assert.deepEqual(verdictOn([must('a'), may('b'), must('c')], ['a', 'c']), [0, 0, 0])
  assert.deepEqual(verdictOn([must('a'), may('b'), must('c')], ['a', 'b', 'c']), [0, 0, 0])
  assert.deepEqual(verdictOn([must('a'), may('b'), must('a')], ['a', 'a', 'b']), [0, 0, 0])
})

test('the oracle sees what is lost, doubled and out of order', () => {
  assert.deepEqual(verdictOn([must('a'), must('b'), must('a')], ['a', 'b']), [1, 0, 0])
  assert.deepEqual(verdictOn([must('a'), must('b')], ['a', 'b', 'b']), [0, 1, 0])
  assert.deepEqual(verdictOn([must('a'), may('b')], ['a', 'b', 'b', 'x']), [0, 2, 0])
  assert.deepEqual(verdictOn([must('a'), must('b'), must('a')], ['a', 'a', 'b']), [0, 0, 1])
  assert.deepEqual(verdictOn([must('a'), { ...may('b'), forbidden: true }], ['a', 'b']), [0, 1, 0])
})

test('the oracle knows when the review project must be there', () => {
  const told = (...words: string[]) => isUnderReview(words.map((word) => `alice ${word.replace('-', ' ')}\n\ntitle`))
  assert.deepEqual([told(), told('opened-1'), told('updated-1'), told('closed-1', 'reopened-1')], [false, true, true, true])
  assert.deepEqual([told('opened-1', 'closed-1'), told('merged-1', 'opened-1'), told('closed-1', 'opened-1')], [false, false, false])
  assert.deepEqual([told('opened-1', 'opened-2', 'merged-2'), told('opened-1', 'merged-2', 'merged-1')], [true, false])
})

test('two effects of a lane that are under way at once are found, but for one that has ended', () => {
  const [one, two, other] = ['one', 'two', 'other'].map((id) => ({ id, lane: id === 'other' ? 'b' : 'a', ended: false }))
  assert.ok(one && two && other)
  assert.deepEqual(overlaps([one, other]), [])
  assert.deepEqual(overlaps([one, other, two]), ['a: one beside two'])
  assert.deepEqual(overlaps([{ ...one, ended: true }, two]), [])
})
