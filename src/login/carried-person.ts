/**
 * A person whom the provider named just before our store went away takes that along, sealed, in a cookie of this browser:
 * the same address then works at any replica, and no replica redeems the provider's code a second time (decision K9).
 *
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Identity } from '../providers/provider.ts'
import type { LoginFlow } from './flow.ts'

const NAME = 'identified'
/** Seconds: as long as an outage may last that a person waits for. */
const LIFETIME = 600
/** Browsers drop a cookie of more than 4,096 bytes; sealing makes text a third longer. */
const MOST_CHARACTERS = 2500

const Note = z.object({
  /** Names the callback that the person came back with: no other callback may use the note. */
  callback: z.string(),
  /** Seconds since the epoch. */
  until: z.number(),
  person: z.object({
    issuer: z.string(),
    subject: z.string(),
    email: z.string().exactOptional(),
    preferredUsername: z.string().exactOptional(),
    name: z.string().exactOptional(),
    groups: z.array(z.string()),
  }),
})

type Flow = Pick<LoginFlow, 'browsers' | 'now'>

/** Lets the browser carry the person, unless their groups are too many for a cookie. */
export async function carryPerson(
  reply: FastifyReply,
  callback: string,
  person: Identity,
  { browsers, now }: Flow,
): Promise<void> {
  const note = { callback, until: Math.floor(now() / 1000) + LIFETIME, person }
  if (Buffer.byteLength(JSON.stringify(note)) > MOST_CHARACTERS) return
  await browsers.note.write(reply, NAME, note, LIFETIME)
}

/** The person whom this browser carries for this callback. */
export async function findCarriedPerson(
  request: FastifyRequest,
  callback: string,
  { browsers, now }: Flow,
): Promise<Identity | undefined> {
  const note = Note.safeParse(await browsers.note.read(request, NAME))
  if (!note.success || note.data.callback !== callback || now() / 1000 >= note.data.until) {
    return undefined
  }
  return note.data.person
}
