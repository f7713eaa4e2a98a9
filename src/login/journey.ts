/**
 * The id that joins the events of one permission, from the first page to the last token: the grant's id begins with it,
 * and it is known before there is a grant.
 *
 * @module
 */
import { randomToken, sha256 } from '../crypto.ts'
import { shortGrant } from '../oauth/grant-facts.ts'
import type { Interaction } from './interaction.ts'

/** What events call `grant`, for an interaction that may become one. */
export const journeyOf = ({ id }: Pick<Interaction, 'id'>): string => shortGrant(sha256(id))

/** A new id for the grant of an interaction: no attempt gets that of an earlier one, which may still be revoked. */
export const grantIdOf = (interaction: Pick<Interaction, 'id'>): string =>
  journeyOf(interaction) + randomToken(9)
