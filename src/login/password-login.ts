/**
 * Tries a name and a password at the provider, slowed down by the lock-out.
 *
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { randomToken, sha256 } from '../crypto.ts'
import type { ClientAddress } from '../http/client-address.ts'
import { loginName } from '../identifiers.ts'
import type { Identity, PasswordProvider } from '../providers/provider.ts'
import { bucketsOf, widestBucketOf } from '../url/address-buckets.ts'
import type { Browsers } from './browser.ts'
import type { Lockout } from './lockout.ts'

export type Attempt =
  | { readonly kind: 'identified'; readonly person: Identity }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'locked'; readonly seconds: number }

export interface PasswordLogin {
  /** @throws ProviderBusy when too many other attempts are waiting */
  attempt(
    credentials: { name: string; password: string },
    request: FastifyRequest,
  ): Promise<Attempt>
  /** The user's name as configured, for events; undefined if nobody has the name that was typed. */
  userNamed(typed: string): string | undefined
  /** Notes that this browser signed in with this name: failures of others no longer lock it out. */
  remember(name: string, request: FastifyRequest, reply: FastifyReply): Promise<void>
}

const NOTE = 'device'
const NOTE_SECONDS = 90 * 24 * 3600
const MAX_NAMES = 8
const Device = z.object({ id: z.string(), names: z.array(z.string()) })

export function createPasswordLogin(deps: {
  provider: PasswordProvider
  lockout: Lockout
  browsers: Browsers
  clientAddress: ClientAddress
}): PasswordLogin {
  const { provider, lockout, browsers, clientAddress } = deps

  async function deviceOf(request: FastifyRequest): Promise<z.infer<typeof Device> | undefined> {
    const note = Device.safeParse(await browsers.note.read(request, NOTE))
    return note.success ? note.data : undefined
  }

  return {
    async attempt(credentials, request) {
      const name = countedName(credentials.name)
      const device = await deviceOf(request)
      const known = device?.names.includes(sha256(name)) ? device.id : undefined
      const address = clientAddress(request.raw)
      const begun = await lockout.begin(
        known === undefined ? { name, block: widestBucketOf(address) } : { name, device: known },
      )
      if (begun.kind === 'locked') return begun
      const applicant = {
        isKnown: known !== undefined,
        // A known device shares turns with every other of its name: one account cannot fill the first lane.
        buckets: known === undefined ? bucketsOf(address) : [{ key: `name:${name}`, share: 1 }],
      }
      const person = await provider.verify(credentials, applicant).catch(async (error: unknown) => {
        await begun.withdraw()
        throw error
      })
      if (!person) return { kind: 'wrong' }
      await begun.succeed()
      return { kind: 'identified', person }
    },
    userNamed: (typed) => provider.userNamed(typed),
    async remember(name, request, reply) {
      const device = (await deviceOf(request)) ?? { id: randomToken(16), names: [] }
      const hash = sha256(countedName(name))
      const names = [hash, ...device.names.filter((known) => known !== hash)].slice(0, MAX_NAMES)
      await browsers.note.write(reply, NOTE, { id: device.id, names }, NOTE_SECONDS)
    },
  }
}

/**
 * The name under which an attempt is counted: as typed, not the person behind it. If a name and its e-mail shared a
 * lock, strangers would learn that both are one person.
 */
const countedName = loginName
