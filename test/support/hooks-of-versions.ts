// Hook bodies as GitLab's versions sent them: those of today, and for each step back in time what a body lacked then or
// wrote otherwise.
import type { Json, JsonObject } from '#shared/process/json.ts'
import { issues } from '../fixtures/versions/issues.ts'
import { mergeRequests } from '../fixtures/versions/merge-requests.ts'
import { notes } from '../fixtures/versions/notes.ts'
import { others } from '../fixtures/versions/others.ts'
import { pipelines } from '../fixtures/versions/pipelines.ts'
import { pushes } from '../fixtures/versions/pushes.ts'
import { systemHooks } from '../fixtures/versions/system.ts'
import { hook, hookNames } from './fixtures.ts'
import { isObject } from './objects.ts'

/** `isSecret` where no reader may see it, not even one of private projects. */
export type Hook = { name: string; text: string; body: JsonObject; isSecret: boolean }

const ofToday: Record<string, JsonObject> = {
  ...Object.fromEntries(hookNames().map((name) => [name, hook(name)])),
  ...mergeRequests,
  ...pushes,
  ...issues,
  ...notes,
  ...pipelines,
  ...others,
  ...systemHooks,
}
const secret = new Set(['issue made confidential', 'note on a snippet', 'note on a snippet of that time'])

type Back = { version: string; lacks: RegExp; write?: (value: Json, path: string) => Json }

// Each with what the one before it says; `lacks` is matched with a path such as `.object_attributes.source.id`.
const back: Back[] = [
  {
    version: 'a little older',
    lacks:
      /\.(detailed_merge_status|prepared_at|actioned_at|approval_rules|reviewers|owners|project_namespace_id|ref_protected|first_contribution|draft)$/,
  },
  {
    version: 'older',
    lacks: /\.(event_type|reviewer_ids|ci_config_path|push_options|user_username)$|^\.(user|assignees\.\d+|assignee)\.(id|email)$/,
    write: (value) => (typeof value === 'string' ? value.replace(/^([\d-]{10}) ([\d:]{8}) UTC$/, '$1T$2Z') : value),
  },
  {
    version: 'of the first years',
    lacks: /\.(labels|assignees|last_commit\.title|avatar_url|state_id)$|(project|source|target)\.id$|^\.commits\.\d+\.title$/,
    write: (value, path) => (path.endsWith('.default_branch') ? 'master' : value),
  },
]

export function hooksOfVersions(): Hook[] {
  return Object.entries(ofToday).flatMap(([name, body]) => {
    const hooks = [hookOf(name, body)]
    let older: Json = body
    for (const { version, lacks, write = asItIs } of back) {
      const before = JSON.stringify(older)
      older = rewritten(older, lacks, write)
      if (JSON.stringify(older) !== before) hooks.push(hookOf(name, older, version))
    }
    return hooks
  })
}

const asItIs = (value: Json) => value

function hookOf(of: string, body: Json, version = ''): Hook {
  if (!isObject(body)) throw new Error(`${of} is no object.`)
  return { name: version ? `${of}, ${version}` : of, text: JSON.stringify(body), body, isSecret: secret.has(of) }
}

function rewritten(value: Json, lacks: RegExp, write: (value: Json, path: string) => Json, path = ''): Json {
  if (Array.isArray(value)) return value.map((item, index) => rewritten(item, lacks, write, `${path}.${index}`))
  if (!isObject(value)) return write(value, path)
  const kept = Object.entries(value).filter(([name]) => !lacks.test(`${path}.${name}`))
  return Object.fromEntries(kept.map(([name, inner]) => [name, rewritten(inner, lacks, write, `${path}.${name}`)]))
}
