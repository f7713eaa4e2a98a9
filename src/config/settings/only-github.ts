/**
 * The settings of GitHub alone.
 *
 * @module
 */
import { fields, text } from '../values/fields.ts'
import { parseBaseUrl } from '../values/urls.ts'

export const github = {
  github_url: text(parseBaseUrl).optional().register(fields, {
    description:
      'Origin of a GitHub Enterprise, with `PROVIDER=github`. Default: `https://github.com`.',
    example: 'https://github.example.com',
  }),
  github_api_url: text(parseBaseUrl).optional().register(fields, {
    description:
      "Base of GitHub's REST API. Default: `https://api.github.com`; for `GITHUB_URL` its `/api/v3`, or the host `api.` before a name under `ghe.com`.",
    example: 'https://github.example.com/api/v3',
  }),
}
