// `?kind=`, `?project=`, `?action=` and `?since=`: what a subscriber gets is what it asked for, from the past and live alike.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { fnmatch } from '#shared/event/fnmatch.ts'
import { openRelay } from '#shared/queue/relay.ts'
import { type Reader, readFeed } from '../support/feed.ts'
import { type Publish, publisherOf } from '../support/relay.ts'
import { openSlowRedis } from '../support/slow-redis.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

type Message = { number: number; kind: string; action: string; project: string; dt: string }

let stage: Stage
let port: number
let publish: Publish
const all: Message[] = []
const kinds = ['push', 'merge_request', 'issue', 'note']
const actions = ['', 'open', 'merge', 'update']
const projects = ['repos/releng/scap', 'repos/releng/deep/er', 'repos/cloud/x', 'toolforge-repos/a', 'repos/releng']

before(async () => {
  stage = await openStage()
  publish = publisherOf(stage)
  port = (await stage.start('ingest')).port()
  await more(300)
})
after(() => stage.close())

// As the worker publishes them; the actions stand where GitLab has them.
function bodyOf({ number, kind, action, project, dt }: Message): object {
  const told = action === '' ? {} : number % 2 === 0 ? { object_attributes: { action } } : { action }
  return { number, object_kind: kind, project: { path_with_namespace: project }, ...told, meta: { id: `d${number}`, dt, kind } }
}

async function more(count: number, dt?: string): Promise<Message[]> {
  const made = Array.from({ length: count }, (_, index): Message => {
    const number = all.length + index
    const pick = <T>(list: T[], step: number) => list[Math.floor(number / step) % list.length] as T
    const received = dt ?? new Date(Date.now() - 3600_000 + number * 2000).toISOString()
    return { number, kind: pick(kinds, 1), action: pick(actions, 4), project: pick(projects, 3), dt: received }
  })
  await publish(made.map(bodyOf))
  all.push(...made)
  return made
}

async function open(query: string, headers: Record<string, string> = {}): Promise<Reader> {
  const reader = await readFeed(`http://127.0.0.1:${port}/sse/?${query}`, headers)
  stage.defer(reader.close)
  return reader
}

const numbers = ({ messages }: Reader) => messages.map(({ data }) => Number(JSON.parse(data).number))

async function gets(reader: Reader, expected: Message[], what: string): Promise<void> {
  await until(() => reader.messages.length >= expected.length, `all have come for ${what}`)
  assert.deepEqual(
    numbers(reader),
    expected.map(({ number }) => number),
    what,
  )
}

test('a reader gets exactly what its filters say, from the past and live, in order', async () => {
  const chosen = (values: string[]) => fc.option(fc.subarray(values, { minLength: 1 }), { nil: undefined })
  const patterns = ['repos/releng/*', '*/a', 'repos/*', 'repos/?loud/[xyz]', 'repos/releng', '[!r]*', 'nothing']
  const question = fc.record({
    kind: chosen(kinds),
    action: chosen(['open', 'merge', 'update']),
    project: chosen(patterns),
    repeated: fc.boolean(),
  })
  const check = async (questions: Array<typeof question extends fc.Arbitrary<infer Q> ? Q : never>) => {
    const readers = await Promise.all(
      questions.map(({ repeated, ...filters }) => {
        const pairs = Object.entries(filters).flatMap(
          ([name, values]): Array<[string, string]> =>
            repeated ? (values ?? []).map((value) => [name, value]) : values ? [[name, values.join(',')]] : [],
        )
        return open(new URLSearchParams([...pairs, ['last_event_id', '0-0']]).toString())
      }),
    )
    await more(20)
    for (const [index, { kind, action, project }] of questions.entries()) {
      const wanted = all.filter(
        (message) =>
          (!kind || kind.includes(message.kind)) &&
          (!action || action.includes(message.action)) &&
          (!project || project.some((pattern) => fnmatch(message.project, pattern))),
      )
      const reader = readers[index]
      assert.ok(reader)
      await gets(reader, wanted, JSON.stringify(questions[index]))
      reader.close()
    }
  }
  await fc.assert(fc.asyncProperty(fc.array(question, { minLength: 1, maxLength: 5 }), check), { numRuns: 8 })
})

for (const [form, write] of [
  ['an ISO 8601 time', (dt: string) => dt],
  ['a time with an offset', (dt: string) => `${new Date(Date.parse(dt) + 3600_000).toISOString().slice(0, -1)}+01:00`],
  ['a time as Python writes it', (dt: string) => dt.replace('Z', '000')],
  ['a time whose offset has no colon', (dt: string) => `${new Date(Date.parse(dt) - 3600_000).toISOString().slice(0, -1)}-0100`],
  ['Unix milliseconds', (dt: string) => String(Date.parse(dt))],
  ['Unix seconds', (dt: string) => String(Math.floor(Date.parse(dt) / 1000))],
] as const) {
  test(`since ${form}, everything received from then on comes, and then what is live`, async () => {
    const from = all[120]
    assert.ok(from)
    const plain = await open(`since=${write(from.dt)}`)
    const filtered = await open(`since=${encodeURIComponent(write(from.dt))}&kind=push`)
    await until(() => plain.messages.length > 0 && filtered.messages.length > 0, 'the past has come')
    await more(8)
    const wanted = all.filter(({ dt }) => dt >= from.dt)
    await gets(plain, wanted, form)
    await gets(
      filtered,
      wanted.filter(({ kind }) => kind === 'push'),
      `${form}, filtered`,
    )
    for (const reader of [plain, filtered]) reader.close()
  })
}

test('since a date is since its first moment in UTC', async () => {
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString()
  const [late] = await more(1, tomorrow)
  const reader = await open(`since=${tomorrow.slice(0, 10)}`)
  await gets(reader, late ? [late] : [], 'tomorrow')
  await more(2)
  const [later] = await more(1, tomorrow)
  await until(() => reader.messages.length > 1, 'what is received tomorrow comes')
  assert.deepEqual(numbers(reader), [late?.number, later?.number])
})

test('a cursor counts before a time, as an EventSource that comes back keeps its address', async () => {
  const whole = await open('last_event_id=0-0')
  await until(() => whole.messages.length === all.length, 'all have come')
  const place = whole.messages.at(-4)?.id ?? ''
  const reader = await open(`since=${new Date(Date.now() + 3600_000).toISOString()}`, { 'last-event-id': place })
  await gets(reader, all.slice(-3), 'the last three')
})

test('since now on a feed that was quiet for long, everything comes that is new, from the first moment on', async () => {
  const quiet = `${stage.environment.REDIS_PREFIX}-quiet`
  const relay = openRelay({ redis: stage.redis, prefix: quiet })
  await relay.publish('long ago', JSON.stringify({ number: 1 }), { cursor: '1000-0', previous: '0-0' })
  const ingest = await stage.start('ingest', { REDIS_PREFIX: quiet, REDIS_URL: await openSlowRedis(stage, 100) })
  const readers = ['', `?since=${Date.now()}`, `?since=${Date.now()}&kind=push`]
  const open = await Promise.all(readers.map((query) => readFeed(`http://127.0.0.1:${ingest.port()}/sse/${query}`)))
  for (let number = 2; number < 5; number++) {
    const dt = new Date().toISOString()
    await relay.publish(`d${number}`, JSON.stringify(bodyOf({ number, kind: 'push', action: '', project: 'a/b', dt })))
    await until(() => open.every((reader) => numbers(reader).at(-1) === number), 'all have it')
  }
  for (const reader of open) {
    assert.deepEqual(numbers(reader), [2, 3, 4])
    reader.close()
  }
})
