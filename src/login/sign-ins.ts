/**
 * Knows a person again who signed in at the gateway in this browser (decision K35): a record that ends, and a cookie of
 * our own host alone. It answers who somebody is, at `/authorize` and `/.gatewarden/login`; consent and policy are asked
 * every time, and no check takes the cookie.
 *
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { constantTimeEqual, randomToken, sha256 } from '../crypto.ts'
import { loginName } from '../identifiers.ts'
import { subjectOf } from '../oauth/subject.ts'
import type { Identity, Provider, SignInWishes } from '../providers/provider.ts'
import type { Persons } from '../records/persons.ts'
import type { Records, SignIn } from '../records/records.ts'
import { StorageUnavailable } from '../storage/storage.ts'

/** The sign-in that a grant comes from. */
export interface SignedIn {
  readonly id: string
  /** Seconds since the epoch: the person has to sign in again then. */
  readonly until: number
  /** Lets the browser know the person again. Absent where it does already. */
  readonly setCookie?: (reply: FastifyReply) => void
}

export interface KnownPerson extends SignedIn {
  readonly person: Identity
}

export interface SignIns {
  /**
   * The person whom this browser signed in as, if the wishes leave that open; undefined means that the person has to sign
   * in. Also while the store does not answer.
   */
  find(request: FastifyRequest, wishes?: SignInWishes): Promise<KnownPerson | undefined>
  /** As {@link find}, for a client; nobody where each grant of a client has to begin at the provider. */
  findForClient(request: FastifyRequest, wishes: SignInWishes): Promise<KnownPerson | undefined>
  /**
   * Writes down a completed login, in place of the one before in this browser. Rejects with StorageUnavailable.
   * @returns undefined where a script of another program could ride on it
   */
  begin(request: FastifyRequest, person: Identity): Promise<SignedIn | undefined>
  /** Ends the sign-in of this browser. Rejects with StorageUnavailable. */
  end(request: FastifyRequest, reply: FastifyReply): Promise<void>
  /** Ends the sign-in that a grant names. Rejects with StorageUnavailable. */
  endById(id: string): Promise<void>
}

/** Two random values: the name of the record, and a secret that is new at each login. */
const VALUE = /^([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{22})$/

/**
 * @param deps `isOn`: false where a protected server's pages are of our own origin (decision K36); `secure`: the gateway
 *   is https (decision K7); `lifetime` and `idle` in seconds; `now` in milliseconds since the epoch
 */
export function createSignIns(deps: {
  readonly signIns: Records['signIns']
  readonly persons: Persons
  readonly provider: Provider
  readonly credentialOf: (person: Identity) => string | undefined
  readonly isOn: boolean
  /** False if a client's grant needs what only a sign-in at the provider leaves (decision K30). */
  readonly servesClients: boolean
  readonly secure: boolean
  readonly lifetime: number
  readonly idle: number
  readonly now: () => number
}): SignIns {
  const { signIns, persons, provider, isOn, lifetime, idle } = deps
  const name = deps.secure ? '__Host-gw_login' : 'gw_login'
  const options = { path: '/', httpOnly: true, sameSite: 'lax', secure: deps.secure } as const
  const now = () => Math.floor(deps.now() / 1000)
  const ttlOf = ({ expiresAt }: SignIn) => Math.min(idle, expiresAt - now())

  /** The record that the cookie proves, whoever it is about. */
  async function recordOf(request: FastifyRequest): Promise<SignIn | undefined> {
    const [, id, secret] = VALUE.exec(onlyCookie(request, name) ?? '') ?? []
    const found = isOn && id !== undefined ? await signIns.find(id) : undefined
    const isProved = found && constantTimeEqual(sha256(secret ?? ''), found.secretHash)
    return isProved && ttlOf(found) > 0 ? found : undefined
  }

  const known: SignIns = {
    findForClient: (request, wishes) =>
      deps.servesClients ? known.find(request, wishes) : Promise.resolve(undefined),
    async find(request, wishes = {}) {
      try {
        const found = await recordOf(request)
        const person = found && persons.ofSignIn(found)
        if (!found || !person || !isEnough(found, person, wishes)) return undefined
        await signIns.renew(found, ttlOf(found))
        return { id: found.id, until: found.expiresAt, person }
      } catch (error) {
        if (error instanceof StorageUnavailable) return undefined
        throw error
      }
    },
    async begin(request, person) {
      if (!isOn) return undefined
      const before = await recordOf(request)
      const isSamePerson = before && subjectOf(before) === subjectOf(person)
      // Sessions of the same person in this browser name the record: signing out of any of them ends it.
      const id = isSamePerson ? before.id : randomToken(16)
      if (before && !isSamePerson) await signIns.end(before.id)
      const secret = randomToken(16)
      const { issuer, subject, ...identity } = person
      const credential = deps.credentialOf(person)
      const signIn: SignIn = {
        id,
        secretHash: sha256(secret),
        provider: provider.id,
        issuer,
        subject,
        ...(credential !== undefined && { credential }),
        identity,
        createdAt: now(),
        expiresAt: now() + lifetime,
      }
      await signIns.set(signIn, ttlOf(signIn))
      return {
        id,
        until: signIn.expiresAt,
        setCookie: (reply) =>
          void reply.setCookie(name, `${id}.${secret}`, { ...options, maxAge: lifetime }),
      }
    },
    async end(request, reply) {
      const found = await recordOf(request)
      if (found) await signIns.end(found.id)
      if (request.headers.cookie?.includes(name)) reply.clearCookie(name, options)
    },
    endById: (id) => signIns.end(id),
  }
  return known

  /** False if the client wants a sign-in of its own, a newer one, or another person. */
  function isEnough(
    { createdAt }: SignIn,
    person: Identity,
    { prompt, maxAge, acrValues, loginHint }: SignInWishes,
  ): boolean {
    if (prompt !== undefined || acrValues !== undefined) return false
    // The provider knows since when the person is signed in there; we know it of our own login alone.
    const isRecent = provider.kind === 'password' && now() - createdAt < (maxAge ?? 0)
    if (maxAge !== undefined && !isRecent) return false
    return loginHint === undefined || namesOf(person).includes(loginName(loginHint))
  }
}

/**
 * The value of the cookie, if the browser sent exactly one of the name: over http a neighbour may have put its own before
 * ours (threat T43).
 */
function onlyCookie({ headers }: FastifyRequest, name: string): string | undefined {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim())
  const values = pairs.filter((pair) => pair.startsWith(`${name}=`))
  return values.length === 1 ? values[0]?.slice(name.length + 1) : undefined
}

const namesOf = ({ email, preferredUsername }: Identity) =>
  [email, preferredUsername].flatMap((name) => (name === undefined ? [] : [loginName(name)]))
