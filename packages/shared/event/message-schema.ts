// What a message of each kind has, as far as programs may rely on it: the shapes that read events, and what the feed's
// pages show beside. All of it is open: GitLab sends more, and adds to it.
import { z } from 'zod'
import { attributes, bodySchema, number, part, text } from './body.ts'
import { type PublishedKind, publishedKinds } from './privacy/kinds.ts'

const named = part({ iid: number, title: text, url: text })
const list = <Item extends z.ZodType>(item: Item) => z.array(item).optional().catch(undefined)

const metaSchema = z.object({
  id: z.string().describe('The delivery. A repeat of a delivery has the same one.'),
  dt: z.iso.datetime().describe('When it was received, in UTC.'),
  kind: z.string().describe('The kind of event: object_kind, else event_name.'),
  stream: z.literal('gitlab-webhooks'),
  domain: z.string().optional().describe('The host of GitLab; "canary" for a test of the operators, which readers skip.'),
  uri: z.string().optional().describe('The address of what it is about, else of its project.'),
  $schema: z.string().optional().describe('The address of the schema of its kind.'),
  origin: z.string().optional().describe('Present when it did not come by a hook.'),
  cut: z.array(z.string()).optional().describe('The fields that were cut so that the line has at most 64 KiB.'),
  cursor: z.string().optional().describe('In JSON lines: the cursor, which server-sent events have as id.'),
})

/** Reads a message of whatever kind. What is missing or of another type is undefined. */
export const messageSchema = bodySchema.extend({
  meta: metaSchema,
  object_kind: text,
  event_name: text,
  user: part({ username: text, name: text }),
  object_attributes: part({ ...attributes, id: number, name: text, ref: text, status: text, note: text, noteable_type: text }),
  changes: z.record(z.string(), z.unknown()).optional().catch(undefined).describe('Fields that changed, mostly as {previous, current}.'),
  merge_request: named,
  issue: named,
  ref: text,
  before: text,
  after: text,
  commits: list(z.object({ id: text, title: text, message: text, url: text })),
  total_commits_count: number,
  name: text,
  old_path_with_namespace: text,
  tag: text,
  url: text,
  status: text,
  environment: text,
  deployable_url: text,
  build_name: text,
  build_status: text,
})
export type Message = z.output<typeof messageSchema>

type Field = keyof Message
const ofProject: Field[] = ['project', 'object_kind']
const ofPush: Field[] = ['event_name', 'ref', 'before', 'after', 'user_username', 'project_id', 'commits', 'total_commits_count']
const ofAttributes: Field[] = ['user', 'object_attributes']
const ofJob: Field[] = ['user', 'ref', 'build_name', 'build_status', 'project_id']
const ofProjectEvent: Field[] = ['event_name', 'name', 'path_with_namespace', 'project_id']

const kinds: Record<PublishedKind, { about: string; fields: Field[] }> = {
  push: { about: 'Commits were pushed to a branch, or a branch was made or deleted.', fields: [...ofProject, ...ofPush] },
  tag_push: { about: 'A tag was made or deleted.', fields: [...ofProject, ...ofPush] },
  repository_update: { about: 'References of a repository changed.', fields: ['event_name', 'project', 'project_id'] },
  merge_request: {
    about: 'A merge request was opened, updated, approved, merged, closed or reopened: object_attributes.action.',
    fields: [...ofProject, ...ofAttributes, 'changes'],
  },
  issue: { about: 'An issue was opened, updated, closed or reopened.', fields: [...ofProject, ...ofAttributes, 'changes'] },
  work_item: { about: 'A task, an epic or the like changed.', fields: [...ofProject, ...ofAttributes, 'changes'] },
  note: {
    about: 'Somebody commented on a commit, a merge request or an issue.',
    fields: [...ofProject, ...ofAttributes, 'project_id', 'merge_request', 'issue'],
  },
  release: { about: 'A release was made, changed or deleted.', fields: [...ofProject, 'action', 'name', 'tag', 'url'] },
  pipeline: { about: 'A pipeline has another status.', fields: [...ofProject, ...ofAttributes, 'merge_request'] },
  build: { about: 'A job has another status.', fields: [...ofProject, ...ofJob] },
  job: { about: 'A job has another status.', fields: [...ofProject, ...ofJob] },
  deployment: {
    about: 'A deployment has another status.',
    fields: [...ofProject, 'user', 'status', 'environment', 'ref', 'deployable_url'],
  },
  wiki_page: { about: 'A page of a wiki was made, changed or deleted.', fields: [...ofProject, ...ofAttributes] },
  milestone: {
    about: 'A milestone was made, closed, reopened or deleted.',
    fields: [...ofProject, ...ofAttributes, 'action', 'event_name'],
  },
  emoji: {
    about: 'A reaction was given or taken back.',
    fields: [...ofProject, ...ofAttributes, 'event_name', 'project_id', 'merge_request', 'issue'],
  },
  project_create: { about: 'A project was made.', fields: ofProjectEvent },
  project_destroy: { about: 'A project was deleted.', fields: ofProjectEvent },
  project_rename: { about: 'A project has another name.', fields: ofProjectEvent },
  project_transfer: { about: 'A project has moved.', fields: ofProjectEvent },
  project_update: { about: 'Something about a project changed.', fields: ofProjectEvent },
  canary: { about: 'A test of the operators. Readers skip it.', fields: ['project'] },
}

export type JsonSchema = z.core.JSONSchema.JSONSchema

/** The names of the schemas: the kinds that are published, and `message` for what all of them have. */
export const schemaNames = ['message', ...publishedKinds] as const
export type SchemaName = (typeof schemaNames)[number]

export function isSchemaName(name: string): name is SchemaName {
  return schemaNames.some((known) => known === name)
}

const schemas = new Map<SchemaName, JsonSchema>()

/** The JSON Schema (2020-12) of that name. Each is made when it is first asked for: all of them take some 50 ms. */
export function messageSchemaOf(name: SchemaName): JsonSchema {
  const schema = schemas.get(name) ?? make(name)
  schemas.set(name, schema)
  return schema
}

function make(name: SchemaName): JsonSchema {
  if (name === 'message') return jsonSchemaOf(z.object({ meta: metaSchema }), name, 'What a message of any kind has.')
  const { about, fields } = kinds[name]
  const shapes = Object.fromEntries(fields.map((field) => [field, messageSchema.shape[field]]))
  return jsonSchemaOf(z.object({ meta: metaSchema.extend({ kind: z.literal(name) }), ...shapes }), name, about)
}

// What counts as missing when it is read, GitLab may send: null, or an empty text.
function jsonSchemaOf(schema: z.ZodType, title: string, description: string): JsonSchema {
  const made = z.toJSONSchema(schema, {
    io: 'input',
    override({ zodSchema, jsonSchema }) {
      delete jsonSchema.pattern
      if (zodSchema._zod.def.type !== 'catch') return
      if (typeof jsonSchema.type === 'string') Object.assign(jsonSchema, { type: [jsonSchema.type, 'null'] })
      for (const name of ['minLength', 'maximum', 'default'] as const) delete jsonSchema[name]
    },
  })
  return { title, description, ...made }
}
