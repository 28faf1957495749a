// Text from outside: whatever it is made of, nothing in it does more than stand in its line.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { harmless, harmlessJson } from '#shared/process/harmless.ts'

const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u
const dangers = ['\u001b', '\u001b[31m', '\u001b]0;', '\u0007', '\u009b', '\u009d', '\n', '\r', '\u0085', '\u2028', '\u202e', '\u{e0041}']
const text = fc.string({
  unit: fc.oneof(fc.constantFrom(...dangers, 'a', '[', ']', ';', '0', 'm', '\\'), fc.string({ unit: 'binary', maxLength: 2 })),
})

test('nothing that cannot be seen is left in a text, and what can be seen stays', () => {
  fc.assert(
    fc.property(text, (given) => {
      assert.doesNotMatch(harmless(given), unseen)
    }),
  )
  assert.equal(harmless('Grüße, 你好 👋 “x” — naïve'), 'Grüße, 你好 👋 “x” — naïve')
  assert.equal(harmless('a\u001b[31mred\u001b[0m\r\n\u202eb'), 'ared b')
})

test('JSON says the same as before, in characters that can be seen', () => {
  fc.assert(
    fc.property(text, fc.string(), (given, name) => {
      const json = harmlessJson(JSON.stringify({ [name]: [given] }))
      assert.doesNotMatch(json, unseen)
      assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify({ [name]: [given] })))
    }),
  )
})

const red = '\u001b[31m'
const evil = 'a\u001b[31mb\u0007\u009bc\nFORGED\u2028\u202ed'
const program = `
import { openLog, redactor } from '#shared/process/log.ts'
const log = await openLog('worker', { debug: false, redact: redactor(['the-secret']) })
log.warn({ reason: process.env.EVIL }, process.env.EVIL + ' the-secret')`
const node = [process.execPath, '--input-type=module-typescript', '--eval', program]
const options = { cwd: new URL('../../', import.meta.url).pathname, env: { ...process.env, EVIL: evil, TERM: 'xterm' } }

test('a log line is one line of JSON that can be seen', async () => {
  const [command = '', ...words] = node
  const { stdout } = await promisify(execFile)(command, words, options)
  assert.match(stdout, /^[^\n]+\n$/)
  assert.doesNotMatch(stdout.trimEnd(), unseen)
  const line = JSON.parse(stdout)
  assert.deepEqual([line.reason, line.msg], [evil, `${evil} [secret]`])
})

const has = await promisify(execFile)('script', ['--version']).then(
  () => true,
  () => false,
)

test('on a terminal a log line has no colours, and no lines, but its own', { skip: !has && 'there is no script(1)' }, async () => {
  const quoted = node.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ')
  const { stdout } = await promisify(execFile)('script', ['--quiet', '--return', '--command', quoted, '/dev/null'], options)
  assert.match(stdout, /WARN/)
  for (const danger of [red, '\u0007', '\u009b', '\u2028', '\u202e']) assert.ok(!stdout.includes(danger), stdout)
  assert.match(stdout, /ab FORGED d \[secret\]/)
  assert.match(stdout, /reason.*: "ab FORGED d"/)
})
