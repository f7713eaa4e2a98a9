/**
 * The login of a person, to a code or a session.
 *
 * @module
 */
import { createBrowsers } from '../login/browser.ts'
import { clientPurpose } from '../login/client-purpose.ts'
import { complete } from '../login/complete.ts'
import { devicePurpose } from '../login/device-purpose.ts'
import type { LoginFlow } from '../login/flow.ts'
import type { Interaction } from '../login/interaction.ts'
import { createLockout } from '../login/lockout.ts'
import { createPasswordLogin } from '../login/password-login.ts'
import { createSignIns } from '../login/sign-ins.ts'
import { createUserCodeGuesses } from '../login/user-code-guesses.ts'
import { keepForRechecks } from '../oauth/held-token.ts'
import type { Relay } from '../oauth/relay/relay.ts'
import { CALLBACK_PATH } from '../paths.ts'
import type { Identity } from '../providers/provider.ts'
import type { SessionRoutes } from '../sessions/asked-host.ts'
import { browserPurpose } from '../sessions/browser-purpose.ts'
import { createSignInRounds } from '../sessions/sign-in-rounds.ts'
import { createSessionIssuer } from '../sessions/token-issuer.ts'
import { normalizeHost } from '../url/host.ts'
import type { AppDeps } from './app-deps.ts'
import type { buildCheck } from './check.ts'
import type { Foundation } from './foundation.ts'
import { rechecksOf } from './rechecks.ts'

/** The login of a person, from `/authorize` or a protected page to a code or a session. */
export function buildLogin(
  { config, storage, now, elapsed }: AppDeps,
  foundation: Foundation,
  { sessionRules, relay }: ReturnType<typeof buildCheck> & { readonly relay: Relay | undefined },
): SessionRoutes {
  const {
    issuer,
    keyring,
    records,
    resources,
    provider,
    clients,
    redirectRules,
    sessionTokens,
    clientAddress,
    deviceRequests,
    personTokens,
  } = foundation
  const browsers = createBrowsers({ keyring, secure: config.publicUrl.secure })
  const rounds = createSignInRounds({ browsers, sessions: records.sessions, now })
  const issue = createSessionIssuer({
    tokens: sessionTokens,
    sessions: records.sessions,
    idle: config.lifetimes.sessionIdle,
    now,
  })
  const purposeOf = (interaction: Interaction) =>
    interaction.purpose === 'client'
      ? clientPurpose(interaction, {
          issuer,
          keyring,
          records,
          resources,
          grantLifetime: config.lifetimes.grant,
        })
      : interaction.purpose === 'device'
        ? devicePurpose(interaction, {
            issuer,
            keyring,
            records,
            resources,
            deviceRequests,
            grantLifetime: config.lifetimes.grant,
          })
        : browserPurpose(interaction, {
            rules: sessionRules,
            records,
            issue,
            rounds,
            connectProofs: foundation.connectProofs,
            sessionLifetime: config.lifetimes.session,
          })
  const credentialOf = (person: Identity) => provider.credentialOf?.(person)
  const hasRechecks = rechecksOf(provider) !== undefined
  const flow: LoginFlow = {
    issuer,
    callbackPath: config.callbackPath ?? CALLBACK_PATH,
    brand: foundation.brand,
    host: normalizeHost(config.publicUrl.host) ?? config.publicUrl.host,
    keyring,
    clients,
    redirectRules,
    resources,
    browsers,
    provider,
    clientAddress,
    userOf: foundation.userOf,
    passwordLogin:
      provider.kind === 'password'
        ? createPasswordLogin({
            provider,
            browsers,
            clientAddress,
            lockout: createLockout({ storage, keyring, now }),
          })
        : undefined,
    signIns: createSignIns({
      signIns: records.signIns,
      persons: foundation.persons,
      provider,
      credentialOf,
      isOn: resources.isOurHostGuarded,
      servesClients: !hasRechecks && relay === undefined,
      secure: config.publicUrl.secure,
      lifetime: config.lifetimes.session,
      idle: config.lifetimes.sessionIdle,
      now,
    }),
    relay,
    complete: (interaction, { person, tokens, ...left }, signedIn) =>
      complete(interaction, person, {
        purpose: purposeOf(interaction),
        records,
        credentialOf,
        signedIn,
        keepTokens:
          relay && interaction.purpose !== 'session'
            ? (grant) => relay.begin(grant, tokens)
            : undefined,
        // A session has no refresh.
        keepForRechecks:
          hasRechecks && interaction.purpose !== 'session'
            ? (grant) => {
                const isTold = interaction.tellsOfToken === true
                const deps = { records, keyring, personTokens, now }
                return keepForRechecks(grant, { ...left, isTold }, deps)
              }
            : undefined,
        now,
      }),
    deviceRequests,
    userCodeGuesses: createUserCodeGuesses({ elapsed }),
    purposeOf,
    isAnswered: (interaction) => records.interactions.isAnswered(interaction.id),
    now,
    elapsed,
  }
  const { userOfGrant } = foundation
  return { flow, rules: sessionRules, records, tokens: sessionTokens, issue, rounds, userOfGrant }
}
