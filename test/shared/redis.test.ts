import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostsOf, readRedisUrl } from '#shared/process/redis-address.ts'

const places: Array<[url: string, place: object]> = [
  ['redis://127.0.0.1:6379', { kind: 'server', nodes: [{ host: '127.0.0.1', port: 6379 }], login: {}, database: 0 }],
  ['redis://:p%40ss@redis/3', { kind: 'server', nodes: [{ host: 'redis', port: 6379 }], login: { password: 'p@ss' }, database: 3 }],
  [
    'rediss://me:secret@[::1]:7000/',
    { kind: 'server', nodes: [{ host: '::1', port: 7000 }], login: { username: 'me', password: 'secret', tls: {} } },
  ],
  [
    'redis+sentinel://:pw@a:26379,b/hooks/2',
    {
      kind: 'sentinel',
      nodes: [
        { host: 'a', port: 26379 },
        { host: 'b', port: 26379 },
      ],
      login: { password: 'pw' },
      primary: 'hooks',
      database: 2,
    },
  ],
  [
    'redis+cluster://a:7000,b:7001',
    {
      kind: 'cluster',
      nodes: [
        { host: 'a', port: 7000 },
        { host: 'b', port: 7001 },
      ],
    },
  ],
]
for (const [url, expected] of places)
  test(`${url.replace(/:\/\/.*@/, '://…@')} is read`, () => {
    const place = readRedisUrl(url)
    assert.ok(place)
    assert.deepEqual(
      Object.fromEntries(Object.keys(expected).map((key) => [key, Object.entries(place).find(([name]) => name === key)?.[1]])),
      expected,
    )
  })

for (const url of [
  'redis://',
  'http://host',
  'redis://a,b',
  'redis://host:port',
  'redis://host/name',
  'redis://%ff@host',
  'redis+sentinel://a',
  'redis+sentinel://a/with blank',
  'redis+cluster://a,b/1',
  'redis+cluster://a,,b',
])
  test(`${url} is no place`, () => assert.equal(readRedisUrl(url), undefined))

test('what people are told of a place has no password', () => {
  assert.equal(hostsOf('redis+sentinel://user:secret@a,b:1/hooks'), 'a:26379, b:1')
})
