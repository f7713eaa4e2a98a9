/**
 * The reference that people read, written from the schema: `.env.example`, `docs/configuration.md` and the JSON
 * Schema that editors complete `gatewarden.yaml` by.
 *
 * @module
 */
import * as z from 'zod'
import { type Setting, Settings, settings } from '../schema.ts'
import { ClientSection } from '../sections/clients.ts'
import { Resource } from '../sections/resource.ts'
import { StaticToken } from '../sections/static-tokens.ts'
import { User } from '../sections/users.ts'
import { ProviderSection } from '../sources/providers-section.ts'
import { fields } from '../values/fields.ts'
import { Allow } from '../values/people.ts'
import { EXAMPLE_FILE, PAGE_INTRODUCTION, PAGE_PROBLEMS } from './text.ts'

/** Set in `.env.example` as it stands, so that only the people are missing to a first start. */
const FIRST_STEPS = new Set(['PUBLIC_URL', 'RESOURCES', 'ALLOWED_DOMAINS'])

/** `.env.example`: every setting, with its default. */
export function envExample(): string {
  const lines = settings.map((setting) => {
    const mark = FIRST_STEPS.has(setting.name) ? '' : '# '
    const value = setting.default ?? setting.example ?? ''
    return `# ${setting.description.replaceAll('`', '')}\n${mark}${setting.name}=${value}\n`
  })
  return [
    '# Settings of Gatewarden. Copy to .env. Who can log in stands in gatewarden.yaml (docs/configuration.md).\n# Written by `npm run docs:config`.\n',
    ...lines,
  ].join('\n')
}

/** `docs/configuration.md`. */
export function configurationPage(): string {
  return [
    PAGE_INTRODUCTION,
    '## Settings\n',
    table(['setting', 'also', 'default', 'meaning'], settings.map(settingRow)),
    '## The file\n',
    `The same settings in lower case, and what a flat list cannot say:\n\n\`\`\`yaml\n${EXAMPLE_FILE}\`\`\`\n`,
    '`allow` at the top is another way to write the three `ALLOWED_` lists. A name without a value counts as unset.\n',
    '### `resources.<id>`\n',
    'The id names pinned endpoints such as `/auth/traefik/r/<id>`. Resources of a flat list get one made from host and path: `mcp-example-com-notes-mcp`.\n',
    table(['name', 'meaning'], shapeRows(Resource.shape)),
    '### `providers.<id>`\n',
    'Another way to write the settings of the provider; this version has one at a time. The id stands in what it vouched for: under another one, people sign in again.\n',
    table(['name', 'meaning'], shapeRows(ProviderSection.shape)),
    '### `users.<name>`\n',
    'People sign in by name or e-mail, in upper or lower case.\n',
    table(['name', 'meaning'], shapeRows(User.shape)),
    '### `clients`\n',
    'A list of clients known beforehand, each a map. They need not register, whatever `CLIENT_REGISTRATION` says.\n',
    table(['name', 'meaning'], shapeRows(ClientSection.shape)),
    '### `static_tokens.<name>`\n',
    'Fixed tokens that open less than `STATIC_BEARER_TOKENS`. The name is what servers get as the user. Lists of people and `REVOKE_BEFORE` say nothing about them: a token ends when it is removed here.\n',
    table(['name', 'meaning'], shapeRows(StaticToken.shape)),
    PAGE_PROBLEMS,
  ].join('\n')
}

/** `gatewarden.schema.json` (JSON Schema 2020-12), as text. */
export function jsonSchema(): string {
  const secretFiles = settings
    .filter(({ secret }) => secret)
    .map(({ key, name }): [string, z.ZodType] => [
      `${key}_file`,
      z
        .string()
        .optional()
        .register(fields, { description: `A file that holds ${name}.` }),
    ])
  const file = z.strictObject({
    ...Settings.shape,
    ...Object.fromEntries(secretFiles),
    resources: z
      .union([z.record(z.string(), Resource), Settings.shape.resources])
      .optional()
      .register(fields, { description: 'The protected MCP servers.' }),
    allow: Allow.optional().register(fields, { description: 'Who may pass.' }),
    providers: z
      .record(z.string(), ProviderSection)
      .optional()
      .register(fields, { description: 'The provider, under a name of your own.' }),
    users: z
      .record(z.string(), User)
      .optional()
      .register(fields, { description: 'The people of the built-in login.' }),
    clients: z
      .array(ClientSection)
      .optional()
      .register(fields, { description: 'Clients known beforehand.' }),
    static_tokens: z
      .record(z.string(), StaticToken)
      .optional()
      .register(fields, { description: 'Fixed tokens of programs.' }),
  })
  const schema = z.toJSONSchema(file, {
    io: 'input',
    metadata: fields,
    override: ({ jsonSchema: node }) => {
      for (const ours of ['secret', 'kind', 'aliases', 'example']) delete node[ours]
    },
  })
  return `${JSON.stringify({ title: 'gatewarden.yaml', ...schema }, null, 2)}\n`
}

function settingRow(setting: Setting): string[] {
  const names = [...(setting.aliases ?? []), ...(setting.secret ? [`${setting.name}_FILE`] : [])]
  const fallback = setting.default === undefined ? '-' : `\`${setting.default}\``
  const also = names.map((name) => `\`${name}\``).join(', ')
  return [`\`${setting.name}\``, also, fallback, setting.description]
}

function shapeRows(shape: Readonly<Record<string, z.ZodType>>): string[][] {
  return Object.entries(shape).map(([name, schema]) => [
    `\`${name}\``,
    fields.get(schema)?.description ?? '',
  ])
}

function table(head: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('')
}
