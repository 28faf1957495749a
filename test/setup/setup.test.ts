import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { complete, missingFrom, readLock, unknownIn } from '../support/lock.ts'

const root = new URL('../../', import.meta.url).pathname
const lock = readLock(`${root}package-lock.json`)

test('bin/setup, run again, finds nothing to do', () => {
  const { status, stdout, stderr } = spawnSync(`${root}bin/setup`, { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  assert.equal(stdout + stderr, '')
})

test('bin/setup works from any directory', () => {
  assert.equal(spawnSync(`${root}bin/setup`, { cwd: '/' }).status, 0)
})

test('the lock has the packages of all platforms, so that npm ci takes it everywhere', () => {
  assert.deepEqual(missingFrom(lock), [])
  assert.deepEqual(complete(lock), lock)
})

test('the lock knows the contents of every package, so that npm takes no other', () => {
  assert.deepEqual(unknownIn(lock), [])
  assert.deepEqual(unknownIn({ packages: { '': {}, 'node_modules/x': { version: '1.0.0' } } }), ['node_modules/x'])
})

test('the lock can be used with any registry', () => {
  assert.ok(!readFileSync(`${root}package-lock.json`, 'utf8').includes('"resolved"'))
})

test('the lock belongs to package.json', () => {
  const { dependencies, devDependencies }: Record<string, unknown> = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  assert.deepEqual(lock.packages['']?.dependencies, dependencies)
  assert.deepEqual(lock.packages['']?.devDependencies, devDependencies)
})

test('a package that a lock lacks for another platform is added with its platform', () => {
  const parent = { version: '1.0.0', dev: true, optionalDependencies: { '@x/darwin-arm64': '1.0.0', '@x/linux-x64-musl': '1.0.0' } }
  const lacking = { packages: { 'node_modules/x': parent } }
  assert.equal(missingFrom(lacking).length, 2)
  const { packages } = complete(lacking)
  assert.deepEqual(packages['node_modules/@x/darwin-arm64'], {
    version: '1.0.0',
    cpu: ['arm64'],
    dev: true,
    optional: true,
    os: ['darwin'],
  })
  assert.deepEqual(missingFrom({ packages }), [])
})
