// The README names every variable that a process reads, and no other: of the sinks those of the ones that are on by default.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { variableNames } from '#sinks/config.ts'
import { byDefault, declarations, isOn } from '#sinks/registry.ts'
import { configSchema as ingestSchema } from '../../apps/ingest/config.ts'
import { readDocument } from './documents.ts'

const usual = declarations.filter((one) => isOn(one, new Set(byDefault))).flatMap((one) => Object.keys(one.variables))
const others = new Set(declarations.flatMap((one) => Object.keys(one.variables)).filter((name) => !usual.includes(name)))
const all = [...Object.keys(ingestSchema.in.shape), ...variableNames].filter((name) => !others.has(name.replace(/_FILE$/, '')))
const read = new Set(all.filter((name) => !name.endsWith('_FILE')))

/** The names in the table of variables: those of its first column, or of all of them. */
function namesInTable(columns: 'first' | 'all'): string[] {
  const rows = /^\| variable \| default \|.*\n((?:\|.*\n)+)/m.exec(readDocument('README.md'))?.[1] ?? ''
  const cells = rows.split('\n').map((row) => (columns === 'first' ? (row.split('|')[1] ?? '') : row))
  return cells.flatMap((text) => [...text.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name = '']) => name))
}

test('the README has a line for every variable that a process reads', () => {
  const named = new Set(namesInTable('all'))
  assert.deepEqual(
    [...read].filter((name) => !named.has(name)),
    [],
  )
})

test('every variable in the table of the README is one that a process reads, in one line', () => {
  const named = namesInTable('first')
  assert.deepEqual(
    named.filter((name, index) => !read.has(name) || named.indexOf(name) !== index),
    [],
  )
})

test('the secrets that may be in a file are those that docs/configure.md names', () => {
  const files = all.filter((name) => name.endsWith('_FILE'))
  const section = readDocument('docs/configure.md').split('\n## ')[1] ?? ''
  for (const name of files) assert.ok(section.includes(`\`${name.replace(/_FILE$/, '')}\``), name)
})
