/**
 * The parts of `docs/configuration.md` that no schema can say.
 *
 * @module
 */

/** Loads as it stands, but for the hash (a test makes sure). */
export const EXAMPLE_FILE = `# yaml-language-server: $schema=./gatewarden.schema.json
public_url: https://auth.example.com
trusted_proxies: [172.18.0.2]

resources:
  notes:
    url: https://mcp.example.com/notes/mcp
    name: Team notes
    scopes:
      notes:read: Read your notes
      notes:write: Change your notes
    required_scopes: [notes:read]
    also: [/notes/messages]
    default: true
    allow: { domains: [example.com], groups: [staff], emails: [ann@partner.org] }
    upstream: http://notes:3000/mcp
  labs:
    url: https://*.labs.example.com

allow: { domains: [example.com] }

users:
  ann: { email: ann@example.com, name: Ann, groups: [staff], password_hash: "$argon2id$..." }

clients:
  - client_id: nightly
    client_name: Nightly report
    redirect_uris: [http://127.0.0.1/callback]
    scopes: [notes:read]
    # client_secret_file: /run/secrets/nightly

# instead of users: a provider that people sign in at
# providers:
#   keycloak:
#     type: keycloak
#     issuer_url: https://id.example.com/realms/main
#     client_id: gatewarden
#     client_secret_file: /run/secrets/keycloak
`

export const PAGE_INTRODUCTION = `# Configuration

<!-- Written by \`npm run docs:config\` from src/config. Do not edit. -->

A setting has one name: \`PUBLIC_URL\` in the environment and in \`.env\` is \`public_url\` in \`gatewarden.yaml\` and
\`--public-url\` as a flag. A flag wins over the environment, that over \`.env\`, that over the file, that over the default.
\`.env\` and \`gatewarden.yaml\` are looked for in the working directory; \`--config FILE\` names another file.

- **Lists** are separated by commas; in the file they are YAML lists.
- **Durations** are written \`90s\`, \`15m\`, \`1h\`, \`30d\`, \`2w\`; a plain number is seconds.
- **Secrets** can be read from a file: \`SECRET_FILE\` in the environment, \`secret_file\` in \`gatewarden.yaml\`. One line
  break at its end is left out.
- **Paths** are relative to the working directory.
- An empty variable counts as unset. In \`.env\`, a value with a \`#\` in it needs quotes.
- The older spelling \`-port 11000\` or \`-oauthDomain auth.example.com\` works too.

\`gatewarden config check\` says what is wrong, \`gatewarden config print\` shows each value and where it came from.
`

export const PAGE_PROBLEMS = `## When something is wrong

Gatewarden does not start on a doubtful configuration: it says everything that is wrong, one line each, the setting
first and the mend last, and exits with 2. Unknown names in the file and on the command line are refused; in the
environment, where others have names too, only a near miss of one of ours is. A setting that this version does not have
yet is refused, never ignored.
`
