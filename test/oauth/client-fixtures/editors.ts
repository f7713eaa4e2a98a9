/**
 * Editors: VS Code, Cursor, Zed.
 *
 * @module
 */
import { DEVICE_CODE } from '../../support/device.ts'
import { byPost, type ClientFixture, COMMON, fixture, SERVER } from './fixture.ts'

const VSCODE_REDIRECTS = [
  'https://insiders.vscode.dev/redirect',
  'https://vscode.dev/redirect',
  'http://127.0.0.1/',
  'http://127.0.0.1:33418/',
]
const VSCODE = {
  ...COMMON,
  client_name: 'Visual Studio Code',
  client_uri: 'https://code.visualstudio.com',
  grant_types: [...COMMON.grant_types, DEVICE_CODE],
  redirect_uris: VSCODE_REDIRECTS,
}
const VSCODE_DOCUMENT = 'https://vscode.dev/oauth/client-metadata.json'

const CURSOR_REDIRECTS = [
  'cursor://anysphere.cursor-mcp/oauth/callback',
  'https://www.cursor.com/agents/mcp/oauth/callback',
  'http://localhost:8787/callback',
]
const CURSOR = { ...COMMON, client_name: 'Cursor', redirect_uris: CURSOR_REDIRECTS }

export const EDITORS: readonly ClientFixture[] = [
  fixture({
    client: 'VS Code, by its metadata document, on a port of the moment',
    identity: { publishes: VSCODE_DOCUMENT, document: VSCODE },
    redirectUri: 'http://127.0.0.1:52871/',
  }),
  fixture({
    client: 'VS Code in a browser',
    identity: { publishes: VSCODE_DOCUMENT, document: VSCODE },
    redirectUri: 'https://vscode.dev/redirect',
  }),
  fixture({
    client: 'VS Code, registered, with the query that its state holds',
    identity: { registers: { ...VSCODE, application_type: 'native' } },
    redirectUri: 'https://insiders.vscode.dev/redirect',
    authorize: {
      resource: SERVER,
      scope: 'mcp',
      state: 'vscode://dynamicauthprovider/localhost:8000/authorize?nonce=d3f0%2B%3D%3D',
    },
  }),
  fixture({
    client: 'Cursor, on this computer',
    identity: { registers: CURSOR },
    redirectUri: 'http://localhost:8787/callback',
  }),
  fixture({
    client: 'Cursor, in its cloud',
    identity: { registers: CURSOR },
    redirectUri: 'https://www.cursor.com/agents/mcp/oauth/callback',
  }),
  fixture({
    client: 'Cursor before 3.10, by its own scheme',
    identity: { registers: { ...CURSOR, redirect_uris: [CURSOR_REDIRECTS[0]] } },
    redirectUri: 'cursor://anysphere.cursor-mcp/oauth/callback',
  }),
  fixture({
    client: 'Cursor, with the id and the secret of its auth section',
    identity: {
      configured: {
        id: 'cursor',
        name: 'Cursor',
        secret: 'the CLIENT_SECRET of mcp.json',
        redirectUris: CURSOR_REDIRECTS,
        grantTypes: ['authorization_code', 'refresh_token'],
        authMethod: 'client_secret_post',
      },
    },
    redirectUri: 'cursor://anysphere.cursor-mcp/oauth/callback',
    proof: () => byPost({ client_id: 'cursor', client_secret: 'the CLIENT_SECRET of mcp.json' }),
  }),
  fixture({
    client: 'Zed',
    identity: {
      publishes: 'https://zed.dev/oauth/client-metadata.json',
      document: { ...COMMON, client_name: 'Zed', redirect_uris: ['http://127.0.0.1/callback'] },
    },
    redirectUri: 'http://127.0.0.1:51234/callback',
  }),
]
