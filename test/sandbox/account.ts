// Whom a Conduit token belongs to, and what `user.whoami` says of them. The refusals repeat the token, as the real ones
// do: what is logged of an error must not contain it.
import { ConduitError, type Given } from './conduit-form.ts'
import type { Account, Maniphest } from './tasks.ts'

export function authenticate(state: Maniphest, token: string | undefined): Account {
  if (!token) throw new ConduitError('ERR-INVALID-SESSION', 'Session key is not present.')
  const refuse = (words: string) => new ConduitError('ERR-INVALID-AUTH', words)
  if (token.length !== 32) throw refuse(`API token "${token}" has the wrong length. API tokens should be 32 characters long.`)
  if (!/^(api|cli|clr)-/.test(token)) {
    throw refuse(
      `API token "${token}" has the wrong format. API tokens should be 32 characters long and begin with one of these prefixes: api, cli, clr.`,
    )
  }
  const known = state.tokens.get(token)
  if (!known) throw refuse(`API token "${token}" is not valid.`)
  if (known.expired) throw refuse(`API token "${token}" was previously valid, but has expired.`)
  const account = state.accounts.find((one) => one.phid === known.account)
  if (!account || account.disabled) throw refuse('User account is not permitted to use the API.')
  return account
}

export function whoami({ viewer, url }: Given) {
  const { phid, userName, realName, bot } = viewer
  const roles = [...(bot ? ['agent'] : []), 'verified', 'approved', 'activated']
  return {
    phid,
    userName,
    realName,
    image: `${url}/file/${userName}.png`,
    uri: `${url}/p/${userName}/`,
    roles,
    primaryEmail: `${userName}@phabricator.example`,
  }
}
