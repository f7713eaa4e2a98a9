/**
 * Reads the parameters of an authorization request that are about the sign-in of the person (OpenID Connect Core section
 * 3.1.2.1), for the provider.
 *
 * @module
 */
import { OAuthError } from '../errors.ts'
import type { SignInWishes } from '../providers/provider.ts'
import { type Parameters, single } from '../url/parameters.ts'
import { parseScope } from './scope.ts'

/** The prompts of a provider. Our own consent page answers `consent`. */
const PROMPTS = ['login', 'select_account', 'create']
const DISPLAYS = ['page', 'popup', 'touch', 'wap']

/**
 * @throws OAuthError `interaction_required` for `prompt=none`: consent is always asked for, so no request can be answered
 *   without a page; `invalid_request` for a `max_age` that is no number of seconds
 */
export function parseWishes(parameters: Parameters): SignInWishes {
  const asked = parseScope(single(parameters, 'prompt'))
  if (asked.includes('none')) {
    throw new OAuthError('interaction_required', 'prompt=none cannot be satisfied')
  }
  const prompt = PROMPTS.filter((value) => asked.includes(value)).join(' ')
  const loginHint = single(parameters, 'login_hint')
  const acrValues = single(parameters, 'acr_values')
  const uiLocales = single(parameters, 'ui_locales')
  const display = single(parameters, 'display')
  const maxAge = parseMaxAge(single(parameters, 'max_age'))
  return {
    ...(prompt !== '' && { prompt }),
    ...(loginHint !== undefined && { loginHint }),
    ...(maxAge !== undefined && { maxAge }),
    ...(acrValues !== undefined && { acrValues }),
    ...(uiLocales !== undefined && { uiLocales }),
    ...(display !== undefined && DISPLAYS.includes(display) && { display }),
  }
}

function parseMaxAge(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  if (/^\d{1,10}$/.test(value)) return Number(value)
  throw new OAuthError('invalid_request', 'max_age must be a number of seconds')
}

/** The texts among the wishes; a sign-in works without them. */
const TEXTS = ['acrValues', 'uiLocales', 'loginHint'] as const

/** The wishes without their longest text, for an interaction that is too long; undefined if they have no text. */
export function fewerWishes(wishes: SignInWishes): SignInWishes | undefined {
  const [longest] = TEXTS.filter((name) => wishes[name] !== undefined).sort(
    (a, b) => (wishes[b]?.length ?? 0) - (wishes[a]?.length ?? 0),
  )
  if (longest === undefined) return undefined
  const { [longest]: _, ...left } = wishes
  return left
}
