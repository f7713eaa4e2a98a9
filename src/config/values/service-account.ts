/**
 * The key file of a Google service account: its JSON, or the base64 of it, which fits on one line.
 *
 * @module
 */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import { InvalidValue } from './problem.ts'
import { isLoopbackHost } from './urls.ts'

export interface ServiceAccount {
  readonly clientEmail: string
  readonly keyId?: string
  readonly privateKey: KeyObject
  /** Where its assertions are exchanged for tokens. */
  readonly tokenUrl: string
}

const KeyFile = z.looseObject({
  type: z.literal('service_account'),
  client_email: z.string().min(1),
  private_key: z.string().min(1),
  private_key_id: z.string().min(1).optional(),
  token_uri: z.string().default('https://oauth2.googleapis.com/token'),
})

const FIX = 'Make a key of type JSON for the service account in the Google Cloud console.'

/** @throws InvalidValue if the text is no such file; the text is never shown */
export function parseServiceAccount(value: string): ServiceAccount {
  const json = value.startsWith('{') ? value : Buffer.from(value, 'base64').toString()
  const file = KeyFile.safeParse(parseJson(json))
  if (!file.success) {
    const isPath = /^[./~]|\.json$/.test(value)
    throw new InvalidValue(
      isPath
        ? 'looks like a path. Name the file in GOOGLE_SERVICE_ACCOUNT_FILE.'
        : `is no key file of a service account, nor the base64 of one. ${FIX}`,
    )
  }
  const { client_email: clientEmail, private_key_id: keyId, token_uri: tokenUrl } = file.data
  const url = URL.canParse(tokenUrl) ? new URL(tokenUrl) : undefined
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && isLoopbackHost(url.hostname))) {
    throw new InvalidValue(`has a token_uri that is not https. ${FIX}`)
  }
  return {
    clientEmail,
    ...(keyId !== undefined && { keyId }),
    privateKey: readKey(file.data.private_key),
    tokenUrl,
  }
}

function readKey(pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'rsa') return key
  } catch {
    // As for a key of another kind.
  }
  throw new InvalidValue(`has a private_key that is no RSA key in PEM. ${FIX}`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
