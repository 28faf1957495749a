// What a message tells, in words: the page says so where it is rendered, and in the browser as messages come.

const past = {
  open: 'opened',
  reopen: 'reopened',
  close: 'closed',
  merge: 'merged',
  update: 'updated',
  create: 'made',
  delete: 'deleted',
  destroy: 'deleted',
  approval: 'approved',
  unapproval: 'unapproved',
  award: 'gave',
  revoke: 'took back',
}
const none = /^0+$/

/** Who did what, where; whatever is not told is empty. */
export function told(message) {
  const { meta = {}, project = {}, object_attributes = {} } = withoutNull(message)
  const attributes = withoutNull(object_attributes)
  const { words, what = '', address } = of(meta.kind, withoutNull(message), attributes)
  return {
    dt: text(meta.dt),
    kind: text(meta.kind),
    who: text(message.user?.username) || text(message.user_username) || text(message.user_name),
    words,
    what,
    address: web(address) || web(meta.uri),
    story: storyOf(meta.kind, project, attributes),
    where: text(project.path_with_namespace) || text(message.path_with_namespace),
    home: web(project.web_url),
  }
}

function of(kind, message, attributes) {
  const action = text(attributes.action) || text(message.action)
  const did = past[action] ?? action
  const branch = text(message.ref).replace(/^refs\/(heads|tags)\//, '')
  const { title } = attributes
  switch (kind) {
    case 'push':
    case 'tag_push': {
      const thing = kind === 'push' ? 'branch' : 'tag'
      if (none.test(text(message.after))) return { words: `deleted the ${thing}`, what: branch }
      if (kind === 'tag_push') return { words: 'made the tag', what: branch }
      const count = Number.isInteger(message.total_commits_count) ? message.total_commits_count : 'some'
      if (none.test(text(message.before))) return { words: 'made the branch', what: branch }
      return { words: `pushed ${count} ${count === 1 ? 'commit' : 'commits'} to`, what: branch }
    }
    case 'merge_request':
      return { words: did || 'changed', what: numbered('!', attributes), address: attributes.url }
    case 'issue':
    case 'work_item':
      return { words: did || 'changed', what: numbered('#', attributes), address: attributes.url }
    case 'note':
      return { words: did === 'updated' ? 'edited a comment on' : 'commented on', what: subject(message), address: attributes.url }
    case 'emoji':
      return { words: `${did || 'gave'} :${text(attributes.name)}: on`, what: subject(message), address: attributes.awarded_on_url }
    case 'release':
      return {
        words: did === 'made' ? 'released' : `${did} the release`,
        what: text(message.name) || text(message.tag),
        address: message.url,
      }
    case 'pipeline':
      return { words: 'ran a pipeline:', what: `${text(attributes.status)} on ${text(attributes.ref)}`, address: attributes.url }
    case 'build':
    case 'job':
      return { words: 'ran a job:', what: `${text(message.build_name)} ${text(message.build_status)} on ${branch}` }
    case 'deployment':
      return { words: `deployed to ${text(message.environment)}:`, what: text(message.status), address: message.deployable_url }
    case 'wiki_page':
      return { words: `${did} the page`, what: text(title), address: attributes.url }
    case 'milestone':
      return { words: `${did} the milestone`, what: text(title) }
    default:
      return { words: [text(kind).replaceAll('_', ' '), did].filter(Boolean).join(' ') }
  }
}

// The page about what came of a merge request.
function storyOf(kind, { path_with_namespace: path }, { iid }) {
  const isTold = kind === 'merge_request' && text(path) !== '' && typeof iid === 'number'
  return isTold ? `merge-requests/${path.split('/').map(encodeURIComponent).join('/')}/${iid}` : ''
}

function subject({ merge_request: mergeRequest, issue }) {
  if (mergeRequest) return numbered('!', mergeRequest)
  return issue ? numbered('#', issue) : 'a commit'
}

function numbered(sign, { iid, title }) {
  return [typeof iid === 'number' ? sign + iid : '', text(title)].filter(Boolean).join(' ')
}

// Null, and what is no object, is as if it were missing.
function withoutNull(object) {
  return Object.fromEntries(Object.entries(Object(object)).filter(([, value]) => value !== null))
}

function text(value) {
  return typeof value === 'string' ? value : ''
}

function web(address) {
  return typeof address === 'string' && /^https?:\/\//.test(address) ? address : ''
}
