/**
 * Clients that run in their vendor's cloud, or in somebody's own: claude.ai, ChatGPT, LibreChat, Open WebUI, n8n.
 *
 * @module
 */
import {
  byBasic,
  byId,
  byPost,
  type ClientFixture,
  COMMON,
  fixture,
  ROOT_SERVER,
  SERVER,
} from './fixture.ts'

const CLAUDE_CALLBACK = 'https://claude.ai/api/mcp/auth_callback'
const CLAUDE_SCOPE = { scope: 'mcp offline_access', prompt: 'consent' }

const CLAUDE: readonly ClientFixture[] = [
  fixture({
    client: 'claude.ai, by its metadata document',
    identity: {
      publishes: 'https://claude.ai/oauth/mcp-oauth-client-metadata',
      document: {
        ...COMMON,
        client_name: 'Claude',
        client_uri: 'https://claude.ai',
        redirect_uris: [CLAUDE_CALLBACK, 'https://claude.com/api/mcp/auth_callback'],
      },
    },
    redirectUri: CLAUDE_CALLBACK,
    authorize: { resource: SERVER, ...CLAUDE_SCOPE },
    granted: 'mcp offline_access',
  }),
  fixture({
    client: 'claude.ai, at a whole host, with a slash that nobody typed',
    server: ROOT_SERVER,
    identity: {
      registers: { ...COMMON, client_name: 'Claude', redirect_uris: [CLAUDE_CALLBACK] },
    },
    redirectUri: CLAUDE_CALLBACK,
    authorize: { resource: `${ROOT_SERVER}/`, ...CLAUDE_SCOPE },
    redeem: { resource: `${ROOT_SERVER}/` },
    refresh: { resource: `${ROOT_SERVER}/` },
    granted: 'mcp offline_access',
  }),
  fixture({
    client: 'claude.ai, registered with a secret',
    identity: {
      registers: {
        ...COMMON,
        client_name: 'Claude',
        token_endpoint_auth_method: 'client_secret_post',
        scope: 'mcp offline_access',
        redirect_uris: [CLAUDE_CALLBACK],
      },
    },
    redirectUri: CLAUDE_CALLBACK,
    proof: byPost,
    authorize: { resource: SERVER, ...CLAUDE_SCOPE },
    granted: 'mcp offline_access',
  }),
  fixture({
    client: 'claude.ai, with an id and a secret typed by hand, sent by post whatever is configured',
    identity: {
      configured: {
        id: 'claude',
        name: 'Claude',
        secret: 'a secret that somebody typed into claude.ai',
        redirectUris: [CLAUDE_CALLBACK],
        grantTypes: ['authorization_code', 'refresh_token'],
        authMethod: 'client_secret_basic',
      },
    },
    redirectUri: CLAUDE_CALLBACK,
    proof: () =>
      byPost({ client_id: 'claude', client_secret: 'a secret that somebody typed into claude.ai' }),
  }),
]

const CHATGPT: readonly ClientFixture[] = [
  fixture({
    client: 'ChatGPT, by its metadata document, whose first choice is private_key_jwt',
    identity: {
      publishes: 'https://chatgpt.com/oauth/client.json',
      document: {
        ...COMMON,
        client_name: 'ChatGPT',
        redirect_uris: ['https://chatgpt.com/connector/oauth/vG3-MLZWUV83'],
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
        token_endpoint_auth_signing_alg: 'RS256',
        jwks_uri: 'https://chatgpt.com/oauth/jwks.json',
      },
    },
    redirectUri: 'https://chatgpt.com/connector/oauth/vG3-MLZWUV83',
    authorize: { resource: SERVER, scope: 'openid email profile' },
    refresh: {},
  }),
  fixture({
    client: 'ChatGPT, registered once for a connection',
    identity: {
      registers: {
        ...COMMON,
        client_name: 'ChatGPT',
        redirect_uris: ['https://chatgpt.com/connector_platform_oauth_redirect'],
      },
    },
    redirectUri: 'https://chatgpt.com/connector_platform_oauth_redirect',
    authorize: { resource: SERVER, scope: 'mcp offline_access', id_token_hint: 'not-ours' },
    refresh: {},
    granted: 'mcp offline_access',
  }),
]

const SELF_HOSTED: readonly ClientFixture[] = [
  fixture({
    client: 'LibreChat',
    identity: {
      registers: {
        ...COMMON,
        client_name: 'LibreChat MCP Client',
        redirect_uris: ['https://chat.example.org/api/mcp/notes/oauth/callback'],
        token_endpoint_auth_method: 'client_secret_basic',
        scope: 'mcp',
      },
    },
    redirectUri: 'https://chat.example.org/api/mcp/notes/oauth/callback',
    proof: byBasic,
    refresh: {},
  }),
  fixture({
    client: 'LibreChat, which took the method none because it is listed',
    identity: {
      registers: {
        ...COMMON,
        client_name: 'LibreChat MCP Client',
        redirect_uris: ['https://chat.example.org/api/mcp/notes/oauth/callback'],
        scope: 'mcp',
        logo_uri: 'https://chat.example.org/assets/logo.svg',
      },
    },
    redirectUri: 'https://chat.example.org/api/mcp/notes/oauth/callback',
  }),
  fixture({
    client: 'Open WebUI, which names no resource and has a colon in its path',
    identity: {
      registers: {
        client_name: 'Open WebUI',
        redirect_uris: ['https://webui.example.org/oauth/clients/mcp:notes/callback'],
        grant_types: COMMON.grant_types,
        response_types: COMMON.response_types,
        token_endpoint_auth_method: 'client_secret_post',
        scope: 'mcp offline_access',
      },
    },
    redirectUri: 'https://webui.example.org/oauth/clients/mcp:notes/callback',
    proof: byPost,
    authorize: { scope: 'mcp offline_access', nonce: 'authlib-makes-one' },
    redeem: {},
    refresh: {},
    granted: 'mcp offline_access',
  }),
  fixture({
    client: 'n8n, with an empty secret and a state of some length',
    identity: {
      registers: {
        ...COMMON,
        client_name: 'n8n',
        client_uri: 'https://n8n.io/',
        redirect_uris: ['https://n8n.example.org/rest/oauth2-credential/callback'],
        scope: '',
      },
    },
    redirectUri: 'https://n8n.example.org/rest/oauth2-credential/callback',
    proof: (client) => ({ fields: { ...byId(client).fields, client_secret: '' } }),
    authorize: {
      scope: '',
      state: Buffer.from(
        JSON.stringify({
          token: 't'.repeat(43),
          cid: 'c'.repeat(16),
          createdAt: 1,
          data: 'd'.repeat(300),
        }),
      ).toString('base64'),
    },
    redeem: {},
    refresh: {},
  }),
]

export const HOSTED: readonly ClientFixture[] = [...CLAUDE, ...CHATGPT, ...SELF_HOSTED]
