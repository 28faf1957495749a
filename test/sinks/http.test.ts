// One exchange with a remote, however the remote behaves.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Permanent, Unavailable } from '#shared/process/errors.ts'
import { exchange, jsonIn, retryAfter, TooLarge } from '#sinks/http/http.ts'
import { richesOf } from '#sinks/http/rich.ts'
import { startAnswering } from '../support/answers.ts'
import { fenceOf } from '../support/fence.ts'
import { freePort } from '../support/ports.ts'

const { signal } = new AbortController()
function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

const unavailable = (words: RegExp) => (error: unknown) => error instanceof Unavailable && words.test(error.message)

const it = { name: 'it', title: 'It' }

test('an answer is given with its status, headers and text', async () => {
  await using remote = await startAnswering({ status: 418, headers: { 'x-a': 'b' }, body: 'ä€' })
  const { status, headers, text } = await exchange(it, remote.url, { signal })
  assert.deepEqual([status, headers.get('x-a'), text], [418, 'b', 'ä€'])
})

test('a call says who we are, asks for plain text, keeps no cookies and uses connections again', async () => {
  await using remote = await startAnswering({ headers: { 'set-cookie': 'a=b' } })
  for (let call = 0; call < 10; call++) await exchange(it, remote.url, { method: 'POST', body: 'x', headers: { 'x-a': 'b' }, signal })
  for (const { method, body, headers } of remote.asked) {
    assert.deepEqual([method, body, headers['x-a'], headers.cookie], ['POST', 'x', 'b', undefined])
    assert.equal(headers['accept-encoding'], 'identity') // answers are read as they come
    assert.match(headers['user-agent'] ?? '', /^gitlab-webhooks\/\S+ \(https:\S+\)$/)
  }
  assert.ok(new Set(remote.asked.map(({ socket }) => socket)).size <= 3)
})

describe('whoever must still allow a request', () => {
  const post = (url: string, pass: () => Promise<void>, limitMs?: number) =>
    exchange(it, url, { method: 'POST', body: 'x', signal, fence: fenceOf(pass, limitMs) })

  test('is asked when the connection stands, and before anything is written', async () => {
    const connected = Promise.withResolvers<Socket>()
    const server = createServer((socket) => connected.resolve(socket.on('error', () => undefined))).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const asked = Promise.withResolvers<void>()
    const allowing = Promise.withResolvers<void>()
    const exchanging = post(`http://127.0.0.1:${portOf(server)}`, () => {
      asked.resolve()
      return allowing.promise
    })
    const [socket] = await Promise.all([connected.promise, asked.promise])
    assert.equal(socket.bytesRead, 0)
    allowing.resolve()
    await once(socket, 'data')
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
    assert.equal((await exchanging).text, 'ok')
    server.close()
  })

  test('is asked on a connection that is used again, too', async () => {
    await using remote = await startAnswering()
    let times = 0
    for (let call = 0; call < 3; call++)
      await post(remote.url, async () => {
        assert.equal(remote.asked.length, times)
        times += 1
      })
    assert.deepEqual([times, remote.asked.length], [3, 3])
  })

  test('is not asked where there is no connection', async () => {
    let times = 0
    const before = async () => {
      times += 1
    }
    await assert.rejects(post(`http://127.0.0.1:${await freePort()}`, before), unavailable(/ECONNREFUSED/))
    assert.equal(times, 0)
  })

  test('and does not, is told to who called, and nothing is sent', async () => {
    await using remote = await startAnswering()
    await assert.rejects(
      post(remote.url, () => Promise.reject(new Error('no longer ours'))),
      /^Error: no longer ours$/,
    )
    assert.deepEqual(remote.asked, [])
  })

  test('and never answers, makes it a remote that cannot be reached, and nothing is sent', async () => {
    await using remote = await startAnswering()
    await assert.rejects(
      post(remote.url, () => new Promise(() => undefined), 50),
      unavailable(/it took too long/),
    )
    assert.deepEqual(remote.asked, [])
  })
})

describe('of a call that cannot be undone its fence is told', () => {
  const tell = async (url: string, limitMs = 15_000) => {
    const fence = fenceOf(undefined, limitMs)
    await exchange(it, url, { method: 'POST', body: 'x', signal, fence }).catch((error: unknown) => assert.ok(error instanceof Unavailable))
    return fence.told
  }
  const answers: Array<[status: number, told: string[]]> = [
    [200, ['answered']],
    [201, ['answered']],
    [302, ['answered']],
    [403, ['answered', 'undone']],
    [429, ['answered', 'undone']],
    [500, []],
    [502, []],
    [503, []],
    [504, []],
  ]
  for (const [status, told] of answers)
    test(`${told.join(' and ') || 'nothing'} by ${status}`, async () => {
      await using remote = await startAnswering({ status })
      assert.deepEqual(await tell(remote.url), told)
    })

  test('nothing when the connection breaks, nobody answers, or the answer comes too late or breaks off', async () => {
    const behaviours: Array<(socket: Socket) => unknown> = [
      (socket) => socket.destroy(),
      () => undefined,
      (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhal'),
    ]
    for (const behave of behaviours) {
      const sockets: Socket[] = []
      const server = createServer((socket) => {
        sockets.push(socket.on('error', () => undefined))
        socket.once('data', () => behave(socket))
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      assert.deepEqual(await tell(`http://127.0.0.1:${portOf(server)}`, 200), [])
      for (const socket of sockets) socket.destroy()
      server.close()
    }
    assert.deepEqual(await tell(`http://127.0.0.1:${await freePort()}`), [])
  })
})

test('a redirect is an answer and is not followed, so nobody else gets the token', async () => {
  await using other = await startAnswering()
  for (const status of [301, 302, 303, 307, 308]) {
    await using remote = await startAnswering({ status, headers: { location: `${other.url}/steal` } })
    const answer = await exchange(it, remote.url, { method: 'POST', body: 'token', headers: { authorization: 'Bearer token' }, signal })
    assert.equal(answer.status, status)
  }
  assert.deepEqual(other.asked, [])
})

for (const status of [408, 429, 502, 503, 504]) {
  test(`${status} means that the remote is down, for as long as it says`, async () => {
    await using remote = await startAnswering({ status, headers: { 'retry-after': '7' }, body: 'plain text' })
    await assert.rejects(exchange(it, remote.url, { signal }), (error) => {
      assert.ok(error instanceof Unavailable)
      assert.equal(error.retryAfter, 7000)
      assert.match(error.message, new RegExp(`^It answers ${status}`))
      return true
    })
  })
}

test('nobody listening means that the remote is down', async () => {
  await assert.rejects(exchange(it, `http://127.0.0.1:${await freePort()}`, { signal }), unavailable(/cannot be reached: ECONNREFUSED/))
})

test('a name that does not exist means that the remote is down', async () => {
  await assert.rejects(exchange(it, 'http://nowhere.invalid', { signal }), unavailable(/cannot be reached: (ENOTFOUND|EAI_AGAIN)/))
})

test('a connection that is closed or reset at once means that the remote is down', async () => {
  for (const end of ['destroy', 'resetAndDestroy'] as const) {
    await using remote = await startAnswering(({ socket }) => void socket[end]())
    await assert.rejects(exchange(it, remote.url, { signal }), unavailable(/cannot be reached/))
  }
})

test('an answer that breaks off means that the remote is down', async () => {
  await using remote = await startAnswering((_asked, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half', () => response.destroy())
    return undefined
  })
  await assert.rejects(exchange(it, remote.url, { signal }), unavailable(/cannot be reached/))
})

test('something that does not speak HTTP means that the remote is down', async () => {
  const server = createServer((socket) => void socket.on('error', () => undefined).end('SSH-2.0-OpenSSH\r\n')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  await assert.rejects(exchange(it, `http://127.0.0.1:${portOf(server)}`, { signal }), unavailable(/cannot be reached/))
  server.close()
})

describe('the time limit is for the whole exchange:', () => {
  test('a remote that never answers is down', async () => {
    await using remote = await startAnswering(() => undefined)
    await assert.rejects(exchange(it, remote.url, { signal, timeLimitMs: 100 }), unavailable(/it took too long/))
  })

  test('a remote whose answer drips is down', async () => {
    await using remote = await startAnswering((_asked, response) => {
      response.writeHead(200)
      const dripping = setInterval(() => response.write('x'), 10)
      response.on('close', () => clearInterval(dripping))
      return undefined
    })
    const started = performance.now()
    await assert.rejects(exchange(it, remote.url, { signal, timeLimitMs: 200 }), unavailable(/it took too long/))
    assert.ok(performance.now() - started < 10_000)
  })

  test('whoever gives up meanwhile is told their own reason', async () => {
    await using remote = await startAnswering(() => undefined)
    const leaving = new AbortController()
    const asking = exchange(it, remote.url, { signal: leaving.signal })
    leaving.abort(new Error('stopping'))
    await assert.rejects(asking, /^Error: stopping$/)
  })
})

test('an answer over the size limit is not read on, and would be too large again', async () => {
  let sent = 0
  await using remote = await startAnswering((_asked, response) => {
    response.writeHead(200)
    const more = () => {
      sent += 65_536
      if (!response.destroyed) response.write('x'.repeat(65_536), () => setImmediate(more))
    }
    more()
    return undefined
  })
  await assert.rejects(exchange(it, remote.url, { signal, sizeLimit: 200_000 }), (error) => {
    assert.ok(error instanceof Permanent)
    return /more than 200000 bytes/.test(error.message)
  })
  assert.ok(sent < 50_000_000)
  await using exact = await startAnswering({ body: 'x'.repeat(1000) })
  assert.equal((await exchange(it, exact.url, { signal, sizeLimit: 1000 })).text.length, 1000)
})

describe('large answers are read one after another:', () => {
  // The first one has begun, and goes on after a while or never; the others are there at once.
  async function ask(first: (response: ServerResponse) => void, leaving = new AbortController()): Promise<string[]> {
    const begun = Promise.withResolvers<void>()
    await using remote = await startAnswering(({ path }, response) => {
      response.writeHead(200).write('x'.repeat(1_000_000), () => begun.resolve())
      if (path === '/first') first(response)
      else response.end('x')
      return undefined
    })
    const order: string[] = []
    const asking = exchange(it, `${remote.url}/first`, { signal: leaving.signal }).then(
      () => order.push('first'),
      () => order.push('given up'),
    )
    await begun.promise
    const others = Array.from({ length: 3 }, async () => {
      const { text } = await exchange(it, remote.url, { signal })
      order.push(String(text.length))
    })
    await Promise.all([asking, ...others])
    return order
  }

  test('others wait for one that is slow', async () => {
    const order = await ask((response) => void setTimeout(() => response.end(), 500))
    assert.deepEqual(order, ['first', '1000001', '1000001', '1000001'])
  })

  test('one that is given up holds nobody up', async () => {
    const leaving = new AbortController()
    const order = await ask(() => void setTimeout(() => leaving.abort(new Error('stopping')), 200), leaving)
    assert.deepEqual(order, ['given up', '1000001', '1000001', '1000001'])
  })
})

describe('Retry-After', () => {
  const now = Date.parse('2026-11-23T12:00:00Z')
  const rows: Array<[value: string | undefined, ms: number | undefined]> = [
    ['7', 7000],
    [' 120 ', 120_000],
    ['Mon, 23 Nov 2026 12:00:30 GMT', 30_000],
    ['Mon, 23 Nov 2026 11:59:00 GMT', undefined],
    ['0', undefined],
    ['-5', undefined],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
    ['86400000', 3_600_000],
    ['9'.repeat(400), 3_600_000],
    ['Mon, 23 Nov 2099 12:00:30 GMT', 3_600_000],
  ]
  for (const [value, ms] of rows) {
    test(`${value?.slice(0, 40)} asks for ${ms} ms`, () => {
      assert.equal(retryAfter(new Headers(value === undefined ? {} : { 'retry-after': value }), now), ms)
    })
  }
})

describe('an answer that would be many times its size', () => {
  const read = (text: string) => jsonIn({ status: 200, headers: new Headers(), text })
  const million = 1_000_000

  test('is none when it is nested as nothing is', () => {
    assert.equal(read('['.repeat(10 * million)), undefined)
    assert.equal(read('['.repeat(5 * million) + ']'.repeat(5 * million)), undefined)
    assert.equal(read('{"a":'.repeat(million)), undefined)
  })

  test('is too large when it has too many values', () => {
    for (const value of ['[]', '{}', '1', '""', '{"a":1}']) assert.throws(() => read(`[${`${value},`.repeat(million)}1]`), TooLarge, value)
  })

  test('is read when they only stand in a text', () => {
    const text = `\\"[{,${'[{,\\"'.repeat(million)}\\`
    assert.deepEqual(read(JSON.stringify([text, 'b'])), [text, 'b'])
  })

  test('counts what is in it as what reads it does', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        const [values, levels] = measured(JSON.parse(text))
        const bounds = { mostValues: 1e6, mostLevels: 1e6 }
        const found = richesOf(text, bounds)
        assert.equal(found.levels, levels)
        assert.ok(found.values >= values && found.values <= 2 * values, `${found.values} for ${values}`)
      }),
    )
  })

  // Of the values, those within lists and objects; of an empty one none.
  function measured(value: unknown): [values: number, levels: number] {
    if (typeof value !== 'object' || value === null) return [1, 0]
    const parts = Object.values(value).map(measured)
    return [parts.reduce((sum, [values]) => sum + values, 1), 1 + Math.max(0, ...parts.map(([, levels]) => levels))]
  }
})

test('an answer is read as JSON only when it does not call itself something else', () => {
  const answer = (type?: string) => ({
    status: 200,
    text: '{"a":1}',
    headers: new Headers(type === undefined ? {} : { 'content-type': type }),
  })
  for (const type of [undefined, 'application/json', 'application/json; charset=utf-8', 'Application/JSON', 'application/problem+json'])
    assert.deepEqual(jsonIn(answer(type)), { a: 1 }, type)
  for (const type of ['text/html', 'text/plain; charset=utf-8', 'text/html; x=application/json', 'application/jsonp'])
    assert.equal(jsonIn(answer(type)), undefined, type)
})
