/**
 * Libraries of which other clients are made: the SDKs of MCP, FastMCP, the Vercel AI SDK.
 *
 * @module
 */
import {
  byBasic,
  byEmptyBasic,
  byEncodedBasic,
  byPost,
  type ClientFixture,
  COMMON,
  fixture,
  ROOT_SERVER,
  SERVER,
} from './fixture.ts'

const LOOPBACK = 'http://127.0.0.1:41999/callback'

export const LIBRARIES: readonly ClientFixture[] = [
  fixture({
    client: 'TypeScript SDK 2',
    identity: {
      registers: {
        ...COMMON,
        client_name: 'A host',
        application_type: 'native',
        redirect_uris: [LOOPBACK],
        scope: 'mcp offline_access',
      },
    },
    redirectUri: LOOPBACK,
    authorize: { resource: SERVER, scope: 'mcp offline_access', prompt: 'consent' },
    granted: 'mcp offline_access',
  }),
  fixture({
    client: 'TypeScript SDK 1, at a whole host, which it writes with a slash',
    server: ROOT_SERVER,
    identity: {
      registers: {
        client_name: 'A host',
        redirect_uris: [LOOPBACK],
        grant_types: COMMON.grant_types,
        response_types: COMMON.response_types,
      },
    },
    redirectUri: LOOPBACK,
    proof: byBasic,
    authorize: { resource: `${ROOT_SERVER}/` },
    redeem: { resource: `${ROOT_SERVER}/` },
    refresh: { resource: `${ROOT_SERVER}/` },
  }),
  fixture({
    client: 'Python SDK, with Basic and its id in the body',
    identity: {
      registers: {
        ...COMMON,
        client_name: 'A host',
        redirect_uris: [LOOPBACK],
        token_endpoint_auth_method: 'client_secret_basic',
        scope: 'mcp offline_access',
      },
    },
    redirectUri: LOOPBACK,
    proof: byEncodedBasic,
    authorize: { resource: SERVER, scope: 'mcp offline_access', prompt: 'consent' },
    granted: 'mcp offline_access',
  }),
  fixture({
    client: 'Python SDK of 2025-03-26, without a resource',
    identity: {
      registers: {
        ...COMMON,
        redirect_uris: [LOOPBACK],
        token_endpoint_auth_method: 'client_secret_post',
        client_uri: null,
        logo_uri: null,
        contacts: null,
      },
    },
    redirectUri: LOOPBACK,
    proof: byPost,
    authorize: { scope: 'mcp' },
    redeem: {},
    refresh: {},
  }),
  fixture({
    client: 'Go SDK, by a metadata document, with Basic and no password',
    identity: {
      publishes: 'https://host.example/client.json',
      document: { ...COMMON, client_name: 'A host', redirect_uris: ['http://localhost:3142'] },
    },
    redirectUri: 'http://localhost:3142',
    proof: byEmptyBasic,
    refresh: {},
  }),
  fixture({
    client: 'Go SDK, registered, with empty members',
    identity: {
      registers: {
        client_name: '',
        redirect_uris: [LOOPBACK],
        token_endpoint_auth_method: '',
        grant_types: [],
        response_types: [],
        scope: '',
      },
    },
    redirectUri: LOOPBACK,
    proof: byBasic,
    refresh: {},
  }),
  fixture({
    client: 'FastMCP, with a state of its own kind',
    identity: {
      registers: {
        ...COMMON,
        client_name: 'FastMCP Client',
        redirect_uris: ['http://localhost:50321/callback'],
        scope: '',
      },
    },
    redirectUri: 'http://localhost:50321/callback',
  }),
  fixture({
    client: 'Vercel AI SDK, with a slash behind a whole host in all three requests',
    server: ROOT_SERVER,
    identity: { registers: { ...COMMON, redirect_uris: ['https://app.example.org/cb'] } },
    redirectUri: 'https://app.example.org/cb',
    authorize: { resource: `${ROOT_SERVER}/`, scope: 'mcp' },
    redeem: { resource: `${ROOT_SERVER}/` },
    refresh: { resource: `${ROOT_SERVER}/` },
  }),
]
