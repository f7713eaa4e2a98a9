/**
 * The settings of Keycloak alone, as mcpauth has them.
 *
 * @module
 */
import { fields, scalar, text } from '../values/fields.ts'
import { parseHttpScheme, parseKeycloakHost, parsePort, parseRealm } from '../values/plain.ts'

export const keycloak = {
  keycloak_auth_host: text(parseKeycloakHost).optional().register(fields, {
    description:
      'Host of Keycloak; replaces `ISSUER_URL`. Default: `localhost` if another `KEYCLOAK_` setting is present. Beside `ISSUER_URL`, the `KEYCLOAK_` settings are the inner address, as `DISCOVERY_URL` is.',
    example: 'id.example.com',
  }),
  keycloak_auth_port: scalar(parsePort).prefault(8080).register(fields, {
    description:
      'Port of Keycloak. The issuer leaves out the default port of the scheme: 443 or 80.',
  }),
  keycloak_auth_protocol: text(parseHttpScheme)
    .prefault('https')
    .register(fields, {
      description: 'Scheme of Keycloak: `https` or `http`.',
      aliases: ['KEYCLOAK_PROTOCOL'],
    }),
  keycloak_realm: text(parseRealm).prefault('master').register(fields, {
    description: 'Realm of Keycloak.',
  }),
}
