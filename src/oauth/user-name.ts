/**
 * The name of a person, as servers and the log see it. Pure.
 *
 * @module
 */
import { lowerCase } from '../identifiers.ts'
import type { Identity } from '../providers/provider.ts'

/** Which user names can stand for a person. */
export interface UserNames {
  /** True if the provider gives each user name to one person only. */
  readonly areUnique: boolean
  /** The names of static tokens, in the form of {@link comparedName}. */
  readonly ofTokens: ReadonlySet<string>
}

/** A person or a program, as a verified credential names it. */
export interface Named {
  readonly person: Identity
  /** Our own name for it. */
  readonly sub: string
  /** False for a static token. */
  readonly isPerson: boolean
}

/**
 * The verified e-mail, else the user name, else our own `sub` (decision K21). A user name is left out where it could
 * also name somebody else: one whom an application knows by an e-mail, by our `sub`, or by a static token (threats T39).
 */
export function uniqueUser({ person, sub, isPerson }: Named, userNames: UserNames): string {
  const { email, preferredUsername: name } = person
  if (email !== undefined) return email
  if (name === undefined) return sub
  if (!isPerson) return name
  const compared = comparedName(name)
  const isUnmistakable =
    userNames.areUnique &&
    !compared.includes('@') &&
    !/^[ucsk]_/.test(compared) &&
    !userNames.ofTokens.has(compared)
  return isUnmistakable ? name : sub
}

/** A user name as a careless application may compare it: in compatibility form, in lower case. */
export const comparedName = (name: string): string => lowerCase(name.normalize('NFKC'))
