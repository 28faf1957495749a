import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { databaseUrl } from '#shared/process/database-address.ts'
import { BadConfiguration, places, readEnvironment, redisUrl, required, webAddress, wholeNumber, yesOrNo } from '#shared/process/env.ts'
import { passwordOf, redactor } from '#shared/process/log.ts'

const schema = z
  .object({
    ...places,
    SECRET: required('a secret'),
    SITE: webAddress.default('https://example.org'),
    COUNT: wholeNumber(1, 100).default(7),
    FLAG: yesOrNo.default(false),
  })
  .superRefine(({ FLAG, TOOL_TOOLSDB_USER }, context) => {
    if (!FLAG && !TOOL_TOOLSDB_USER) context.addIssue({ code: 'custom', path: ['TOOL_TOOLSDB_USER'], message: 'is required without FLAG' })
  })
const good = { SECRET: 's', TOOL_TOOLSDB_USER: 'u' }

function mistakes(environment: Record<string, string>): string[] {
  try {
    readEnvironment(schema, environment)
    return []
  } catch (error) {
    assert.ok(error instanceof BadConfiguration)
    return error.mistakes
  }
}

test('a variable that is set but empty or blank counts as not set', () => {
  const read = readEnvironment(schema, { ...good, SITE: '', COUNT: ' ', FLAG: '', REDIS_URL: '', REDIS_PREFIX: '', DATABASE_URL: '' })
  assert.deepEqual(read, { ...good, SITE: 'https://example.org', COUNT: 7, FLAG: false, REDIS_PREFIX: 'gitlab-webhooks' })
  assert.deepEqual(mistakes({ ...good, SECRET: '' }), ['SECRET: is required: a secret'])
})

const wrong: Record<string, string[]> = {
  COUNT: ['x', '1.5', '-1', '+1', '0', '101', '1e1', '0x10', '9'.repeat(400)],
  FLAG: ['perhaps', '2'],
  SITE: [
    'nonsense',
    'ftp://example.org',
    'https://',
    'https://user:hush@example.org',
    'https://example.org/a b',
    'https://example.org/%zz',
  ],
  REDIS_URL: ['nonsense', 'http://h', 'redis://', 'redis://:hush%zz@h', 'redis://:hush@h:99999', 'redis://h/name', 'redis:hush@h'],
  DATABASE_URL: ['root:hush@h/x', 'mysql://u:hush@h', 'mysql://u:hush@h/', 'mysql://u:hush@h:99999/x', 'mysql://u:hu%sh@h/x', 'mysql:///x'],
  REDIS_PREFIX: ['{x}', 'a b', 'x'.repeat(101)],
}
const secretive = new Set(['REDIS_URL', 'DATABASE_URL'])
for (const [name, values] of Object.entries(wrong)) {
  test(`a ${name} of a wrong form is one mistake that names it, and repeats only what can be no secret`, () => {
    for (const value of values) {
      const [first, ...more] = mistakes({ ...good, [name]: value })
      assert.deepEqual(more, [], value)
      assert.match(first ?? '', new RegExp(`^${name}: expected `), value)
      assert.ok(!first?.includes('hush'))
      const isQuoted = !secretive.has(name) && !value.includes('@')
      assert.equal(first?.includes(`, not "${value.slice(0, 60)}`), isQuoted, first)
      assert.ok((first?.length ?? 0) < 200)
    }
  })
}

test('all mistakes are told at once, also those that only show in the light of another variable', () => {
  const told = mistakes({ COUNT: 'x', FLAG: 'perhaps', SITE: 'nonsense', REDIS_URL: 'x', DATABASE_URL: 'x' })
  const named = told.map((line) => line.slice(0, line.indexOf(':')))
  assert.deepEqual(named.toSorted(), ['COUNT', 'DATABASE_URL', 'FLAG', 'REDIS_URL', 'SECRET', 'SITE'])
  const [flag, user] = mistakes({ SECRET: 's', FLAG: 'perhaps' })
  assert.match(flag ?? '', /^FLAG: /)
  assert.match(user ?? '', /^TOOL_TOOLSDB_USER: /)
})

test('a mistake in what Toolforge injects is told by its own name', () => {
  assert.match(mistakes({ ...good, TOOL_REDIS_URI: 'x' }).join(), /^TOOL_REDIS_URI: expected /)
})

const redisUrls: Array<[string, Record<string, string>, string]> = [
  ['the address of this machine', {}, 'redis://127.0.0.1:6379'],
  ['what Toolforge injects', { TOOL_REDIS_URI: 'redis://toolforge:1' }, 'redis://toolforge:1'],
  [
    'REDIS_URL before what Toolforge injects',
    { TOOL_REDIS_URI: 'redis://toolforge:1', REDIS_URL: 'rediss://:p@own:2/3' },
    'rediss://:p@own:2/3',
  ],
  ['what Toolforge injects when REDIS_URL is empty', { TOOL_REDIS_URI: 'redis://toolforge:1', REDIS_URL: '' }, 'redis://toolforge:1'],
]
for (const [what, environment, expected] of redisUrls) {
  test(`Redis is looked for at ${what}`, () => {
    assert.equal(redisUrl(readEnvironment(schema, { ...good, ...environment })), expected)
  })
}

const own = 'mysql://u:p@h:1/d'
const injected = { TOOL_TOOLSDB_USER: 's123', TOOL_TOOLSDB_PASSWORD: 'p/w@%' }
const built = 'mysql://s123:p%2Fw%40%25@tools.db.svc.wikimedia.cloud:3306/s123__gitlab_webhooks'
const databaseUrls: Array<[string, Record<string, string>, string | undefined]> = [
  ['nowhere when nothing tells it', {}, undefined],
  ['nowhere with half of what Toolforge injects', { TOOL_TOOLSDB_USER: 's123' }, undefined],
  ['ToolsDB with what Toolforge injects', injected, built],
  ['DATABASE_URL before ToolsDB', { ...injected, DATABASE_URL: own }, own],
  ['ToolsDB when DATABASE_URL is empty', { ...injected, DATABASE_URL: '' }, built],
]
for (const [what, environment, expected] of databaseUrls) {
  test(`the database is looked for at ${what}`, () => {
    assert.equal(databaseUrl(readEnvironment(z.object(places), environment)), expected)
    if (expected !== undefined) assert.doesNotThrow(() => decodeURIComponent(new URL(expected).password))
  })
}

test('a secret is taken out of a line in every form in which it can stand there', () => {
  const secret = 'pä"ss/w\\rd'
  const redact = redactor([secret, undefined, '', 'abc'])
  const line = JSON.stringify({ plain: secret, url: `redis://:${encodeURIComponent(secret)}@h`, other: 'abc' })
  assert.deepEqual(JSON.parse(redact(line)), { plain: '[secret]', url: 'redis://:[secret]@h', other: 'abc' })
})

test('the password of an address is found, also an escaped one', () => {
  assert.equal(passwordOf('redis://user:p%2Fw@h'), 'p/w')
  assert.equal(passwordOf('redis://h'), undefined)
  assert.equal(passwordOf(undefined), undefined)
})
