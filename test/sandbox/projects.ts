// Projects, and which of them a task has. `maniphest.edit` takes a PHID, a slug or a name, but no #slug; any PHID is accepted,
// also one of no project. What changes nothing makes no transaction.
import { z } from 'zod'
import { ConduitError, type Given } from './conduit-form.ts'
import { addTransaction, type Maniphest, type Project, type Task, type Transaction } from './tasks.ts'

type Change = { operation: 'add' | 'remove'; phid: string }

/** What a transaction of type `projects.add`, `.remove` or `.set` wants changed on `task`. */
export function projectChanges(state: Maniphest, task: Task, type: string, value: unknown): Change[] {
  const list = z.array(z.string()).safeParse(value)
  const words = `Exception when processing transaction of type "${type}": Error while reading "value": Expected a list, but value is not a list.`
  if (!list.success) throw new ConduitError('ERR-CONDUIT-CORE', words)
  const phids = list.data.map((name) => phidOf(state, name))
  if (type === 'projects.remove') return phids.map((phid) => ({ operation: 'remove', phid }))
  const added = phids.map((phid) => ({ operation: 'add' as const, phid }))
  if (type === 'projects.add') return added
  const gone = task.projects.filter((phid) => !phids.includes(phid))
  return [...gone.map((phid) => ({ operation: 'remove' as const, phid })), ...added]
}

function phidOf({ projects }: Maniphest, name: string): string {
  if (name.startsWith('PHID-')) return name
  const project = projects.find(({ slug, name: called, hidden }) => !hidden && [slug, called.toLowerCase()].includes(name.toLowerCase()))
  if (project) return project.phid
  const words = `Edge transactions must have destination PHIDs as in edge lists (found key "${name}" on transaction of type "41").`
  throw new ConduitError('ERR-CONDUIT-CORE', words)
}

/** Makes the changes of one edit; the transaction, if it has changed anything. */
export function changeProjects(
  state: Maniphest,
  task: Task,
  wanted: Change[],
  by: Pick<Transaction, 'authorPHID' | 'groupID'>,
): Transaction[] {
  const operations = wanted.filter(({ operation, phid }) => task.projects.includes(phid) === (operation === 'remove'))
  if (operations.length === 0) return []
  for (const { operation, phid } of operations)
    task.projects = operation === 'add' ? [...task.projects, phid] : task.projects.filter((one) => one !== phid)
  return [addTransaction(state, task, { ...by, type: 'projects', fields: { operations } })]
}

const constraintsSchema = z.looseObject({
  ids: z.array(z.number()).optional(),
  phids: z.array(z.string()).optional(),
  slugs: z.array(z.string()).optional(),
  name: z.string().optional(),
})

/** project.search: what is missing or may not be seen is absent, without an error. A name finds what begins with its words. */
export function searchProjects({ state, params }: Given) {
  const { ids, phids, slugs, name } = constraintsSchema.parse(params.constraints ?? {})
  const visible = state.projects.filter(({ hidden }) => !hidden).toSorted((a, b) => b.id - a.id)
  const bySlug = (slugs ?? []).flatMap((slug) => {
    const project = visible.find((one) => one.slug === slug.replace(/^#/, '').toLowerCase())
    return project ? [[slug, { slug: project.slug, projectPHID: project.phid }] as const] : []
  })
  const words = name?.toLowerCase().split(/\W+/) ?? []
  const found = visible.filter(
    (project) =>
      (ids?.includes(project.id) ?? true) &&
      (phids?.includes(project.phid) ?? true) &&
      (slugs === undefined || bySlug.some(([, { projectPHID }]) => projectPHID === project.phid)) &&
      words.every((word) =>
        project.name
          .toLowerCase()
          .split(/\W+/)
          .some((own) => own.startsWith(word)),
      ),
  )
  const cursor = { limit: 100, after: null, before: null, order: null }
  return { data: found.map(projectJson), maps: { slugMap: Object.fromEntries(bySlug) }, query: { queryKey: null }, cursor }
}

function projectJson({ id, phid, name, slug }: Project) {
  const icon = { key: 'project', name: 'Project', icon: 'fa-briefcase' }
  const policy = { view: 'users', edit: 'users', join: 'users' }
  const fields = {
    name,
    slug,
    subtype: 'default',
    milestone: null,
    depth: 0,
    parent: null,
    icon,
    status: 'active',
    policy,
    description: '',
  }
  return { id, type: 'PROJ', phid, fields, attachments: {} }
}
