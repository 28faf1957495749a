// The notes of a merge request: listed in either order, and made. A line that is a quick action is carried out, with the
// bot's rights, and taken out of the text; when nothing is left there is no note, and GitLab answers 202.
import { z } from 'zod'
import { addNote, type MergeRequest, type Note, type Project } from './forge.ts'
import { noteJson } from './forge-json.ts'
import type { Call } from './gitlab.ts'
import { quickActions } from './note.ts'
import { type Answer, json, type Received } from './server.ts'

export function sorted(notes: Note[], { searchParams }: URL): Note[] {
  const oldestFirst = notes.toSorted((a, b) => a.id - b.id)
  return searchParams.get('sort') === 'asc' ? oldestFirst : oldestFirst.reverse()
}

const noteBody = z.object({ body: z.string() })

export function postNote({ state, request, url }: Call, { path }: Project, merge: MergeRequest): Answer {
  if (merge.discussionLocked) return json(403, { message: '403 Forbidden' })
  const sent = noteBody.safeParse(readFields(request))
  if (!sent.success) return json(400, { error: 'body is missing' })
  const { commands, rest } = quickActions(sent.data.body)
  state.commands.push(...commands.map((command) => ({ command, project: path, iid: merge.iid })))
  if (commands.length > 0 && rest === '')
    return json(202, { commands_changes: {}, summary: commands.map((command) => `Applied ${command}.`) })
  if (rest === '') return json(400, { message: '400 Bad request - Note {:note=>["can\'t be blank"]}' })
  if (rest.length > 1_000_000)
    return json(400, { message: '400 Bad request - Note {:note=>["is too long (maximum is 1000000 characters)"]}' })
  const body = commands.length > 0 ? rest : sent.data.body
  return json(201, noteJson(state, merge, addNote(state, merge, { author: state.bot, body }), url))
}

function readFields({ headers, body }: Received): unknown {
  if (!headers['content-type']?.startsWith('application/json')) return Object.fromEntries(new URLSearchParams(body.toString()))
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}
