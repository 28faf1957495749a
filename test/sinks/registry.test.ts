// The registry is the only list of sinks: what is known of one anywhere else follows from its declaration.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readEnvironment } from '#shared/process/env.ts'
import { variables } from '#sinks/config.ts'
import { declarations, isOn, sinkNames } from '#sinks/registry.ts'

const root = new URL('../../', import.meta.url).pathname

function sources(folder: string): string[] {
  const all = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  return all.filter((path) => path.endsWith('.ts')).map((path) => join(folder, path))
}

test('nothing in apps or packages/shared knows the name of a sink', () => {
  const quoted = new RegExp(`['"\`](${sinkNames.join('|')})['"\`]`)
  // A push has a field that is called as a sink is.
  const files = [...sources('apps'), ...sources('packages/shared')].filter((path) => !path.endsWith('event/message-schema.ts'))
  assert.ok(files.length > 200)
  const knowing = files.flatMap((path) => {
    const lines = readFileSync(join(root, path), 'utf8').split('\n')
    return lines.flatMap((line, index) => (quoted.test(line) ? [`${path}:${index + 1}`] : []))
  })
  assert.deepEqual(knowing, [])
})

test('the sinks that are on where nobody says which are three, for ever', () => {
  const { SINKS_ENABLED: enabled } = readEnvironment(variables, {})
  assert.deepEqual(enabled, ['phabricator', 'gitlab-mentions', 'sse'])
})

test('a sink that is part of another is on with it, and is none that can be named', () => {
  const inner = declarations.filter(({ partOf }) => partOf)
  assert.deepEqual(
    inner.map((one) => [one.name, isOn(one, new Set(['phabricator'])), isOn(one, new Set(['sse']))]),
    [['commits', true, false]],
  )
  assert.throws(
    () => readEnvironment(variables, { SINKS_ENABLED: 'commits' }),
    /SINKS_ENABLED: expected names out of phabricator, gitlab-mentions, sse/,
  )
  assert.throws(() => readEnvironment(variables, { SINKS_ENABLED: 'phabricator, fabricator' }), /, with commas between, not "fabricator"$/)
})

test('a name in a declaration is one that a queue, a row and an option can have, and whatever it belongs to or waits for is a sink', () => {
  for (const { name, partOf, waitsFor } of declarations) {
    assert.match(name, /^[a-z][a-z0-9-]{0,39}$/)
    for (const other of [partOf, waitsFor])
      if (other)
        assert.ok(
          sinkNames.some((one) => one === other.sink),
          `${name}: ${other.sink}`,
        )
  }
})
