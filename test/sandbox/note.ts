// How GitLab reads the text of a note: which lines are quick actions (they are carried out with the author's rights
// and taken out of the text), and who is mentioned (they become participants).

const actions =
  'approve|unapprove|merge|rebase|close|reopen|draft|ready|target_branch|label|unlabel|relabel|assign|unassign|reassign|assign_reviewer|request_review|unassign_reviewer|milestone|remove_milestone|lock|unlock|title|subscribe|unsubscribe|todo|done|spend|spent|estimate|copy_metadata|award|react|shrug|tableflip|cc|submit_review'
const action = new RegExp(`^/(${actions})(?:[ ][^\\n]*)?\\s*$`, 'i')

/** The lines GitLab would carry out, and what is left of the text without them. */
export function quickActions(body: string): { commands: string[]; rest: string } {
  const commands: string[] = []
  const rest: string[] = []
  let fence: string | undefined
  for (const line of body.replaceAll('\r', '').split('\n')) {
    const mark = /^(`{3,}|~{3,}|>>>)/.exec(line)?.[1]
    if (mark && fence === undefined) fence = mark
    else if (mark && fence !== undefined && line.startsWith(fence)) fence = undefined
    if (fence === undefined && action.test(line)) commands.push(line.trim())
    else rest.push(line)
  }
  return { commands, rest: rest.join('\n').trim() }
}

/** Names after an `@`, outside code and not escaped. Whether there is such a user is another question. */
export function mentioned(text: string): string[] {
  const prose = text
    .replace(/^(`{3,}|~{3,})[\s\S]*?^\1/gm, '')
    .replace(/(`+)[^`][\s\S]*?\1/g, '')
    .replace(/<!--[\s\S]*?-->/g, '')
  return [...prose.matchAll(/(?<![\w\\/@])@([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?)/g)].map((match) => match[1] ?? '')
}
