/**
 * The page that a person gets at the address of a protected application that they cannot open.
 *
 * @module
 */
import { type ErrorAction, type ErrorPage, errorPage } from './error-page.ts'

export interface RefusedPage {
  readonly why: RefusalReason
  readonly resourceName: string
  /** The host of the application, as the browser shows it. */
  readonly host: string
  /** Where a person signs out, to sign in as someone else. */
  readonly signOutUrl: string
  readonly requestId: string
  /** Where a person asks to be let in. */
  readonly ask: ErrorAction | undefined
}

export type RefusalReason =
  /** Signed in, but not on the list. */
  | { readonly kind: 'person'; readonly person: string }
  /** Signed in, without a permission that everybody needs there. */
  | { readonly kind: 'permission'; readonly person: string }
  /** The proxy does not send this host's own addresses of the login to us. */
  | { readonly kind: 'unrouted'; readonly path: string }

type Words = Pick<ErrorPage, 'kind' | 'title' | 'text' | 'actions'>

/** The document. */
export function refusedPage(page: RefusedPage): string {
  return errorPage({ ...wordsFor(page), requestId: page.requestId })
}

function wordsFor({ why, resourceName, host, signOutUrl, ask }: RefusedPage): Words {
  const asking = ask ? [ask] : []
  switch (why.kind) {
    case 'person':
      return {
        kind: 'forbidden',
        title: `You may not use ${resourceName}`,
        text: `You are signed in as ${why.person}. Ask whoever runs ${host} to let you in, or use an account that may.`,
        actions: [
          ...asking,
          { label: 'Sign in as someone else', href: signOutUrl, isSecondary: true },
        ],
      }
    case 'permission':
      return {
        kind: 'forbidden',
        title: `You have no permission for ${resourceName}`,
        text: `You are signed in as ${why.person}. You may get it if you sign out and in again; if not, ask whoever runs ${host}.`,
        actions: [...asking, { label: 'Sign out', href: signOutUrl, isSecondary: true }],
      }
    case 'unrouted':
      return {
        kind: 'broken',
        title: 'Signing in is not set up at this address',
        text: `Only whoever runs ${host} can fix this: ${why.path} of this host has to lead to Gatewarden.`,
        actions: [],
      }
  }
}
