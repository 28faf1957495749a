// The access token of the sandbox's GitLab: what it is good for, what is told of it, and how it is rotated. The old one is
// dead at once; whoever rotates with a dead one loses the whole family, as in the real GitLab.
import { z } from 'zod'
import type { Forge } from './forge.ts'
import { tokenJson } from './forge-json.ts'
import { type Answer, json, type Received } from './server.ts'

const rotation = '/api/v4/personal_access_tokens/self/rotate'

/** Why a request with the token `given` is refused; undefined when it is not. */
export function refusal({ token, mode }: Forge, { method, url }: Received, given: string | undefined): Answer | undefined {
  const rotates = url.pathname === rotation
  if (given !== undefined && token.former.includes(given)) {
    if (rotates) token.state = 'revoked'
    return revoked()
  }
  if (given !== token.value) return json(401, { message: '401 Unauthorized' })
  if (token.state === 'revoked') return revoked()
  if (token.state === 'expired') return invalid('Token is expired. You can either do re-authorization or token refresh.')
  const reads = method === 'GET'
  const enough = [
    'api',
    ...(reads ? ['read_api'] : []),
    ...(url.pathname.startsWith('/api/v4/personal_access_tokens/self') ? ['self_rotate'] : []),
  ]
  if (enough.some((scope) => token.scopes.includes(scope))) {
    if (mode === 'normal' || reads) return undefined
    return json(403, { message: 'You cannot perform write operations on a read-only instance' })
  }
  const description = 'The request requires higher privileges than provided by the access token.'
  return json(403, { error: 'insufficient_scope', error_description: description, scope: 'api' })
}

function revoked(): Answer {
  return invalid('Token was revoked. You have to re-authorize from the user.')
}

function invalid(description: string): Answer {
  return json(401, { error: 'invalid_token', error_description: description })
}

const rotationSchema = z.object({ expires_at: z.iso.date().optional() })

/** Puts another token in the place of the one in use; without a date it lives for a week. */
export function rotate(state: Forge, { body }: Received): Answer {
  const asked = rotationSchema.safeParse(JSON.parse(body.toString() || '{}'))
  if (!asked.success) return json(400, { error: 'expires_at is invalid' })
  const { token } = state
  const today = Date.now()
  const expiresAt = asked.data.expires_at ?? new Date(today + 7 * 86_400_000).toISOString().slice(0, 10)
  if (Date.parse(expiresAt) > today + 400 * 86_400_000) return json(400, { message: '400 Bad request - Expiration date must be before' })
  token.former.push(token.value)
  token.value = `glpat-rotated-${token.former.length}-9876543210`
  token.expiresAt = expiresAt
  return json(200, { ...tokenJson(state), token: token.value })
}
