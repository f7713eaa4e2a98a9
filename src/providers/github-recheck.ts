/**
 * Asks GitHub about a person again, with the token of their sign-in.
 *
 * @module
 */
import {
  askForTokens,
  fromHeld,
  type GithubTokens,
  personTokenOf,
  toHeld,
} from './github-tokens.ts'
import { type Identity, ProviderFailure, type Rechecks } from './provider.ts'

/** Seconds before its end from which on a token is renewed. */
const EARLY = 60

type Deps = Parameters<typeof askForTokens>[1] & {
  /** Rejects with ProviderFailure. */
  readonly readPerson: (accessToken: string) => Promise<Identity>
}

export function createGithubRechecks(deps: Deps): Rechecks {
  const isOver = ({ until }: GithubTokens) =>
    until !== undefined && deps.now() / 1000 >= until - EARLY
  return {
    needsHeld: true,
    async ask({ subject }, { held, keep }) {
      let tokens = fromHeld(held)
      if (!tokens) throw new ProviderFailure('gone', 'the token of the sign-in cannot be read')
      if (isOver(tokens) && tokens.refresh !== undefined) {
        const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh }
        const secrets = [tokens.refresh, tokens.access]
        tokens = await askForTokens({ about: 'the refresh token', form, secrets }, deps)
        await keep(toHeld(tokens))
      }
      const person = await deps.readPerson(tokens.access)
      if (person.subject !== subject) {
        throw new ProviderFailure('failed', 'GitHub answered for another account')
      }
      return { person, token: personTokenOf(tokens) }
    },
  }
}
