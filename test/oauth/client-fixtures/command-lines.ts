/**
 * Programs of the command line: Claude Code, Codex, Copilot, Gemini, OpenCode, mcp-remote, and the Inspector.
 *
 * @module
 */
import { byPost, type ClientFixture, COMMON, fixture, SERVER } from './fixture.ts'

const AGENTS: readonly ClientFixture[] = [
  fixture({
    client: 'Claude Code, by its metadata document, on a port of the moment',
    identity: {
      publishes: 'https://claude.ai/oauth/claude-code-client-metadata',
      document: {
        ...COMMON,
        client_name: 'Claude Code',
        client_uri: 'https://claude.ai',
        redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
      },
    },
    redirectUri: 'http://localhost:54545/callback',
    authorize: { resource: SERVER, scope: 'mcp offline_access', prompt: 'consent' },
    granted: 'mcp offline_access',
  }),
  fixture({
    client: 'Claude Code, registered, with a slash at the end of the URL',
    server: `${SERVER}/`,
    identity: {
      registers: {
        ...COMMON,
        client_name: 'Claude Code (notes)',
        redirect_uris: ['http://localhost:49152/callback'],
      },
    },
    redirectUri: 'http://localhost:61000/callback',
  }),
  fixture({
    client: 'Codex, by its metadata document',
    identity: {
      publishes: 'https://chatgpt.com/oauth/codex/client.json',
      document: {
        ...COMMON,
        client_name: 'Codex',
        redirect_uris: ['http://127.0.0.1/callback', 'http://localhost/callback'],
      },
    },
    redirectUri: 'http://127.0.0.1:1455/callback',
  }),
  fixture({
    client: 'Codex, registered',
    identity: {
      registers: {
        ...COMMON,
        client_name: 'Codex',
        redirect_uris: ['http://127.0.0.1:38211/callback'],
      },
    },
    redirectUri: 'http://127.0.0.1:38211/callback',
  }),
  fixture({
    client: 'Copilot CLI, whose document names another port than it uses',
    identity: {
      publishes: 'https://github.com/copilot/cli/client-metadata.json',
      document: {
        ...COMMON,
        client_name: 'GitHub Copilot CLI',
        redirect_uris: ['http://127.0.0.1:33418/'],
      },
    },
    redirectUri: 'http://127.0.0.1:40123/',
  }),
  fixture({
    client: 'Gemini CLI, with an empty scope',
    identity: {
      registers: {
        ...COMMON,
        client_name: 'Gemini CLI MCP Client',
        redirect_uris: ['http://localhost:7777/oauth/callback'],
        scope: '',
      },
    },
    redirectUri: 'http://localhost:7777/oauth/callback',
    authorize: { resource: SERVER },
  }),
  fixture({
    client: 'OpenCode',
    identity: {
      publishes: 'https://opencode.ai/oauth/opencode/client.json',
      document: {
        ...COMMON,
        client_name: 'OpenCode',
        redirect_uris: ['http://127.0.0.1:19876/mcp/oauth/callback'],
      },
    },
    redirectUri: 'http://127.0.0.1:19876/mcp/oauth/callback',
  }),
]

const MCP_REMOTE = {
  ...COMMON,
  client_name: 'MCP CLI Proxy',
  client_uri: 'https://github.com/modelcontextprotocol/mcp-cli',
  redirect_uris: ['http://localhost:21543/oauth/callback'],
  software_id: '2e6dc280-f3c3-4e01-99a7-8181dbd1d23d',
  software_version: '0.15.1',
}

const BRIDGES: readonly ClientFixture[] = [
  fixture({
    client: 'mcp-remote',
    identity: { registers: { ...MCP_REMOTE, scope: 'mcp' } },
    redirectUri: 'http://localhost:21543/oauth/callback',
  }),
  fixture({
    client: 'mcp-remote 0.1, with the scopes of OpenID Connect and a secret',
    identity: {
      registers: {
        ...MCP_REMOTE,
        scope: 'openid email profile',
        token_endpoint_auth_method: 'client_secret_post',
      },
    },
    redirectUri: 'http://localhost:21543/oauth/callback',
    proof: byPost,
    authorize: { resource: SERVER, scope: 'openid email profile' },
  }),
  fixture({
    client: 'mcp-remote --disable-resource-parameter',
    identity: { registers: MCP_REMOTE },
    redirectUri: 'http://localhost:21543/oauth/callback',
    authorize: {},
    redeem: {},
    refresh: {},
  }),
]

const INSPECTOR = {
  ...COMMON,
  client_name: 'MCP Inspector',
  client_uri: 'https://github.com/modelcontextprotocol/inspector',
  scope: '',
}

const INSPECTORS: readonly ClientFixture[] = [
  fixture({
    client: 'the Inspector, which is a web page',
    identity: {
      registers: { ...INSPECTOR, redirect_uris: ['http://localhost:6274/oauth/callback'] },
    },
    redirectUri: 'http://localhost:6274/oauth/callback',
    origin: 'http://localhost:6274',
  }),
  fixture({
    client: 'the Inspector that walks through the flow step by step',
    identity: {
      registers: { ...INSPECTOR, redirect_uris: ['http://localhost:6274/oauth/callback/debug'] },
    },
    redirectUri: 'http://localhost:6274/oauth/callback/debug',
    origin: 'http://localhost:6274',
  }),
  fixture({
    client: "the Inspector's command line",
    identity: {
      registers: { ...INSPECTOR, redirect_uris: ['http://127.0.0.1:6276/oauth/callback'] },
    },
    redirectUri: 'http://127.0.0.1:6276/oauth/callback',
  }),
]

export const COMMAND_LINES: readonly ClientFixture[] = [...AGENTS, ...BRIDGES, ...INSPECTORS]
