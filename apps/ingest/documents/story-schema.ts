// What `GET /merge-requests/<project>/<number>` answers, as JSON Schema.

const text = { type: 'string' }
const maybe = { type: ['string', 'null'] }
const time = { type: 'string', format: 'date-time' }
const object = (properties: Record<string, object>) => ({ type: 'object', properties, required: Object.keys(properties) })
const list = (items: object) => ({ type: 'array', items })

const outcome = object({
  state: { enum: ['planned', 'held', 'paused', 'done', 'nothing', 'dead', 'discarded'] },
  reason: maybe,
  link: maybe,
  at: maybe,
})
const effect = object({ id: text, sink: text, task: maybe, outcome })
const delivery = object({
  id: text,
  receivedAt: time,
  kind: text,
  action: maybe,
  project: maybe,
  mr: maybe,
  user: maybe,
  title: maybe,
  decisions: list(object({ sink: text, reason: maybe })),
  effects: list(effect),
})

/** The latest deliveries about a merge request, newest first, with one sentence about all. */
export const storySchema = object({ mergeRequest: text, url: maybe, asOf: time, sentence: text, deliveries: list(delivery) })

const parameter = (name: string, description: string, schema: object, example: unknown) => ({
  name,
  in: 'path',
  required: true,
  description,
  schema,
  example,
})

/** Of which merge request, in the address of `GET /merge-requests`. */
export const searchParameters = [
  {
    ...parameter(
      'address',
      'Its address in GitLab, or project!number.',
      text,
      'https://gitlab.example/repos/releng/tool/-/merge_requests/12',
    ),
    in: 'query',
  },
]

/** What the path names: `/merge-requests/repos/releng/tool/12`. */
export const storyParameters = [
  parameter('project', 'The path of the project, with its slashes as they are.', text, 'repos/releng/tool'),
  parameter('number', 'That of the merge request.', { type: 'integer', minimum: 1, maximum: 0xffff_ffff }, 12),
]
