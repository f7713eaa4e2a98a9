/**
 * The settings of Microsoft Entra ID alone.
 *
 * @module
 */
import { fields, list, text } from '../values/fields.ts'
import { parseDomain } from '../values/people.ts'
import { parseTenant } from '../values/plain.ts'
import { parseBaseUrl } from '../values/urls.ts'

export const entra = {
  entra_tenant: list(parseTenant).optional().register(fields, {
    description:
      'With `PROVIDER=entra`: the Directory (tenant) ID of your organisation, or several. Only their people can sign in.',
    example: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
    kind: 'list',
  }),
  entra_verified_domains: list(parseDomain).optional().register(fields, {
    description:
      'Mail domains whose addresses count although Entra does not say that they are verified (the claim `xms_edov`): domains that your only tenant owns.',
    example: 'example.com',
    kind: 'list',
  }),
  entra_url: text(parseBaseUrl).optional().register(fields, {
    description:
      'Base of the authorities of Entra, for national clouds. Default: `https://login.microsoftonline.com`.',
    example: 'https://login.microsoftonline.us',
  }),
  entra_graph_url: text(parseBaseUrl).optional().register(fields, {
    description:
      'Base of Microsoft Graph, which lists the groups of people in more than 200. Default: `https://graph.microsoft.com`.',
    example: 'https://graph.microsoft.us',
  }),
}
