// What the name of a field says about what is in it, in whatever spelling. A body has hundreds of fields of few names, most
// of which say nothing here; so what a name was found to say is remembered.

const forms = {
  username: /^user[_-]?name$/i,
  people:
    /^(.*_)?(users?|assignees?|reviewers?|owners?|approvers?|participants?|senders?|members?|authors?|committers?|creators?|[a-z]+ed_by)$/i,
  email: /e[_-]?mail/i,
  commit: /(^|_)commits?$/i,
  'commit author': /^(author|committer)$/i,
  'commit email': /^(author|committer)_email$/i,
  secret: /(^|_)(tokens?|secrets?|passwords?|private_keys?)$/i,
  variables: /(^|_)variables?$|^inputs?$/i,
  confidential: /^(is_)?(confidential|internal)$/i,
  visibility: /(^|_)visibility(_level)?$/i,
  snippet: /(^|_)snippets?$/i,
  changes: /^changes$/i,
  // In the body itself: what it is about.
  own: /^(project|repository)$/,
  project: /^source$|(^|_)(project|repository)$/i,
  target: /^target(_project)?$/i,
  'merge request': /^merge_?requests?$/i,
  'other pipeline': /^(source|upstream|downstream|parent)_pipeline$/i,
  // What a project was called where it was before.
  'former place': /^old_(path_with_namespace|full_path|namespace)$/i,
  // In a body about a merge request: the branch that is to be merged, and what is on it.
  fork: /^(source(_.+)?|last_commit|oldrev|newrev|head_.+|diff_refs|diff_head_.+|((original|change)_)?position|st_diff|line_code|commits?|commit_id|((before|checkout)_)?sha|ref)$/i,
} satisfies Record<string, RegExp>

export type Role = keyof typeof forms
export type Roles = ReadonlySet<Role>

const isRole = (name: string): name is Role => name in forms
const allRoles = Object.keys(forms).filter(isRole)

const mostNames = 2000
const longestName = 60
const known = new Map<string, Roles | undefined>()

/** The roles of a field called `name`; undefined for most, which have none. Remembers at most 2,000 names of at most 60 characters. */
export function rolesOf(name: string): Roles | undefined {
  const met = known.get(name)
  if (met !== undefined || known.has(name)) return met
  const found = allRoles.filter((role) => forms[role].test(name))
  const roles = found.length > 0 ? new Set(found) : undefined
  if (known.size < mostNames && name.length <= longestName) known.set(name, roles)
  return roles
}

/** How many names are remembered. */
export function rememberedNames(): number {
  return known.size
}
