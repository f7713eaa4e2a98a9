/**
 * The settings of Google alone.
 *
 * @module
 */
import { fields, list, text } from '../values/fields.ts'
import { parseEmail, parseHostedDomain } from '../values/people.ts'
import { parseServiceAccount } from '../values/service-account.ts'
import { parseBaseUrl } from '../values/urls.ts'

export const google = {
  google_hosted_domain: list(parseHostedDomain).optional().register(fields, {
    description:
      'Google Workspace domains whose accounts can sign in. If unset, any Google account can sign in, and the `ALLOWED_` lists decide who may pass.',
    example: 'example.com',
    kind: 'list',
  }),
  google_service_account: text(parseServiceAccount).optional().register(fields, {
    description:
      'Key file (JSON, or its base64) of a service account that reads the directory of your Google Workspace, at each sign-in and each refresh: suspended people are refused, and groups count (docs/providers/google.md). Requires `GOOGLE_ADMIN_SUBJECT` and `GOOGLE_HOSTED_DOMAIN`.',
    secret: true,
  }),
  google_admin_subject: text(parseEmail).optional().register(fields, {
    description:
      'E-mail address of the administrator for whom the service account reads users and groups.',
    example: 'directory-reader@example.com',
  }),
  google_directory_url: text(parseBaseUrl).optional().register(fields, {
    description: 'Base of the Directory API of Google. Default: `https://admin.googleapis.com`.',
    example: 'https://admin.googleapis.com',
  }),
}
