// What `token` and `token rotate` do.
import type { Command } from 'commander'
import { z } from 'zod'
import { LostAnswer, type Rotated } from '#sinks/gitlab/token/rotate.ts'
import { expirySchema, rotateToken, type TokenState, tokenState } from '../actions/token.ts'
import { act, isJson, type Said } from '../command.ts'
import { BadUsage, reasonOf, type Typed } from '../usage.ts'
import { lines, output, type Piece, padded, warn, words } from '../words.ts'

export function show(command: Command): Promise<void> {
  return act(command, async (context) => sayToken(await tokenState(context), context.config.whereToPut('GITLAB_TOKEN')))
}

export function rotate(options: Typed, command: Command): Promise<void> {
  const { expires: expiresAt, print } = read(options)
  const reason = reasonOf(options)
  const asJson = isJson(command)
  return act(command, (context) => sayRotation((show) => rotateToken(context, { expiresAt, reason, print, show }), asJson))
}

type Rotation = (show: (token: string) => void) => Promise<Rotated>

// The new token is printed the moment it is there, before anything else can go wrong; as JSON it is a part of the answer.
async function sayRotation(rotate: Rotation, asJson: boolean): Promise<Said> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => warn(words`Please wait: GitLab may be answering with a new token.`))
  let shown: string | null = null
  try {
    const { facts, file, problems } = await rotate((token) => {
      shown = token
      if (!asJson) output(words`${token}`)
    })
    const { name, expiresAt = null } = facts
    const where = file === undefined ? 'printed above: put it where GITLAB_TOKEN comes from, and restart the workers' : `in ${file}`
    const summary = lines([
      ...problems,
      `The new token is ${where}. It ${expiresAt === null ? 'has no expiry date' : `expires on ${expiresAt}`}.`,
    ])
    return {
      data: { remote: 'gitlab', name, expiresAt, file: file ?? null, token: shown, problems },
      words: summary,
      failed: problems.length > 0,
    }
  } catch (error) {
    if (error instanceof LostAnswer) return sayLost(error)
    throw error
  }
}

const optionsSchema = z.object({
  expires: expirySchema,
  print: z.boolean().default(false),
})

function read(options: unknown): z.output<typeof optionsSchema> {
  const result = optionsSchema.safeParse(options)
  if (result.success) return result.data
  throw new BadUsage(result.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('\n'))
}

function sayToken(data: TokenState | undefined, remedy: string): Said {
  if (!data) return { data: null, words: words`The token has not been checked yet: set GITLAB_TOKEN, or start a worker.`, failed: true }
  const { name, active, scopes, expiresAt, daysLeft: days, checkedAt, problem } = data
  const until = expiresAt === null ? 'no expiry date' : `${expiresAt}, in ${days} days`
  const facts: Array<[name: string, value: Piece]> = [
    ['token', name || 'unknown'],
    ['state', active ? 'good' : 'expired or revoked'],
    ['expires', until],
    ['scopes', scopes.join(', ') || 'unknown'],
    ['checked', checkedAt],
  ]
  if (problem !== null) facts.push(['problem', problem])
  if (!active) facts.push(['mend', remedy])
  return { data, words: lines(facts.map(([title, value]) => words`${padded(title, 9)}${value}`)), failed: !active || problem !== null }
}

function sayLost(error: LostAnswer): Said {
  const { name, scopes } = error.before
  const summary = words`${error.message}

It must not be tried again as it is: rotating with a dead token kills its successor, too.
  1. After a minute, type: bin/ops token
  2. If it says "good", nothing has happened: the command can be run again.
  3. If it says "expired or revoked", the new token is lost. In GitLab, revoke the token "${name}", make another with the scopes
     ${scopes.join(', ')}, and put it where GITLAB_TOKEN or GITLAB_TOKEN_FILE is.
Meanwhile what needs GitLab waits in its queue; nothing is lost.`
  return { data: { remote: 'gitlab', name, lost: true, error: error.message }, words: summary, failed: true }
}
