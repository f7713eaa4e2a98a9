/**
 * This folder owns the subcommands, a file each. It owns no setting: `config/` does.
 *
 * The table of subcommands. A new command is a file and a row here; `help.ts` makes the help texts from these rows.
 *
 * @module
 */
import { configCheck } from './config-check.ts'
import { configPrint } from './config-print.ts'
import { healthcheck } from './healthcheck.ts'
import { version } from './help.ts'
import type { CommandRow } from './io.ts'
import { start } from './start.ts'

/** What only one command needs is loaded for it alone: a health check runs often and has to be light. */
export const COMMANDS: readonly CommandRow[] = [
  {
    words: 'serve',
    usage: '[--config FILE] [--SETTING VALUE ...]',
    summary: 'start Gatewarden; the default command',
    details: [
      'Each setting is a flag, a variable of the environment (--public-url is PUBLIC_URL) or a line in .env, or a line in the file (public_url). A flag wins over the environment, the environment over .env, and .env over the file. docs/configuration.md has the sections that only the file can hold.',
    ],
    settings: 'all',
    run: start,
  },
  {
    words: 'demo',
    usage: '[--port N] [--folder DIR] [--json]',
    summary: 'try it: a sample MCP server behind a login, on this machine',
    details: [
      '--port N: where everything is found, http://localhost:N. Default: that of last time, else 8080.',
      '--folder DIR: where its data, its password and its log are kept. Default: .demo.',
      '--json: print one JSON object when it is ready, and nothing else, on standard output.',
    ],
    run: async (args, io) => (await import('./demo.ts')).demo(args, io),
  },
  {
    words: 'hash-password',
    summary: 'turn a password into a hash for users in gatewarden.yaml or USERS',
    details: [
      'It asks for the password twice and prints its hash, with lines ready to paste. If standard input is no terminal, it reads the password from there, and prints the hash alone. It refuses passwords that are quick to guess.',
    ],
    run: async (args, io) => (await import('./hash-password.ts')).hashPassword(args, io),
  },
  {
    words: 'config check',
    usage: '[--config FILE]',
    summary: 'print every problem of the configuration; or ok, and what to do next',
    details: [
      'After ok it prints the redirect URI to register at the provider, the address that the proxy asks, the paths to route here, and the URL for each client. It exits with 2 if there is a problem, each on a line of its own with its fix.',
    ],
    settings: 'same',
    run: configCheck,
  },
  {
    words: 'config print',
    usage: '[--config FILE]',
    summary: 'show each value and where it came from',
    details: ['Secrets stay hidden.'],
    settings: 'same',
    run: configPrint,
  },
  {
    words: 'doctor',
    usage: '[--resource ID] [--at HOST] [--echo PORT] [--json]',
    summary: 'check a running deployment through its proxy',
    details: [
      'It asks PUBLIC_URL and the URL of each server as a client does, and says for each promise whether it holds: the discovery documents, the challenge, headers that a client invents. Where it finds the store of the gateway, it makes an API key for the length of the run, passes the login with it, and looks at the headers that reach the server.',
      '--echo PORT: most servers do not show those headers. With this flag the command stands in for the server at that port: let the route of the server lead there while the command waits, for two minutes at most. It needs --resource if there are several servers.',
      '--at HOST: check a server whose url has a wildcard at this host; without the flag it is not checked.',
      '--resource ID: check this server alone. --json: print one JSON object.',
      'It exits with 1 if something is wrong, with 0 if not, also if something could not be checked.',
    ],
    settings: 'same',
    run: async (args, io) => (await import('./doctor.ts')).doctor(args, io),
  },
  {
    words: 'healthcheck',
    usage: '[--config FILE]',
    summary: 'ask the running process whether it is alive',
    details: [
      'It exits with 0 if /healthz answers 200, else with 1. It needs HOST and PORT alone.',
    ],
    settings: 'same',
    run: healthcheck,
  },
  {
    words: 'keys list',
    usage: '[--config FILE]',
    summary: 'show the keys that sign tokens',
    settings: 'same',
    run: async (args, io) => (await import('./keys.ts')).keysList(args, io),
  },
  {
    words: 'keys rotate',
    usage: '[--compromised] [--config FILE]',
    summary: 'add a key that signs in ten minutes, or replace all keys now',
    details: [
      'With --compromised all keys are replaced at once, which ends all tokens; clients refresh by themselves. Without it nothing ends.',
    ],
    settings: 'same',
    run: async (args, io) => (await import('./keys.ts')).keysRotate(args, io),
  },
  {
    words: 'keys revoke',
    summary: 'remove one key by its id, which ends what it signed',
    run: async (args, io) => (await import('./keys.ts')).keysRevoke(args, io),
  },
  {
    words: 'api-key',
    usage: 'create NAME | list | revoke NAME',
    summary: 'make, list or end the keys of programs',
    details: [
      'create prints the key once, alone on standard output. --resource ID and --scope SCOPE limit it; without them it opens every server with every scope. --expires says how long it lasts: 90d unless you write another time, or never.',
      'list shows the name, the limits and the times of each key. revoke ends the key of that name on every replica within a second.',
    ],
    settings: 'same',
    run: async (args, io) => (await import('./api-key.ts')).apiKey(args, io),
  },
  {
    words: 'token',
    usage: '--url URL [--scope SCOPE] [--client-id ID] [--json]',
    summary: 'get an access token for a server, by a code that you type elsewhere',
    details: [
      'It finds the login of the MCP server at URL, shows an address and a code on standard error, and waits until you have opened the address in any browser, typed the code and signed in. Then it prints the access token, alone on standard output. It needs no configuration, and works at any server whose login has the device grant (RFC 8628).',
      '--scope SCOPE: what to ask for; several with commas. Default: what the server asks for.',
      '--client-id ID: a client that the operator knows. Without it the command registers one.',
      '--json: print the whole answer, with the refresh token if there is one.',
      'It exits with 1 if there is no token, and says why on standard error.',
    ],
    run: async (args, io) => (await import('./token.ts')).token(args, io),
  },
  { words: 'version', summary: 'show the version, and the commit if it is known', run: version },
]
