/**
 * What to paste into which MCP client to add a server: for the pages, and for the text of the demo.
 *
 * @module
 */

export interface ClientLines {
  /** The program and the place in it. */
  readonly where: string
  /** Lines to copy as they are. */
  readonly lines: readonly string[]
}

/**
 * @param server `name`: the name that the client gets for it, of letters, digits, `-` and `_`; `url` to paste
 * @returns the common clients; hosted ones only for an address that their own computers can reach
 */
export function clientLines({ name, url }: { name: string; url: string }): readonly ClientLines[] {
  const isHere = /^https?:\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::|\/|$)/.test(url)
  return [
    {
      where: 'Claude Code, then sign in (or /mcp inside it)',
      lines: [`claude mcp add --transport http ${name} ${url}`, `claude mcp login ${name}`],
    },
    {
      where: 'Cursor (mcp.json) and others with "mcpServers"',
      lines: [`{ "mcpServers": { "${name}": { "url": "${url}" } } }`],
    },
    {
      where: 'VS Code',
      lines: [`code --add-mcp '{"name":"${name}","type":"http","url":"${url}"}'`],
    },
    ...(isHere
      ? []
      : [{ where: 'claude.ai, Claude Desktop, ChatGPT: add a custom connector', lines: [url] }]),
    {
      where: 'List its tools without a client of your own',
      lines: [listTools(url)],
    },
  ]
}

/** `npx -p` names the package: the name of its command alone is a package that nobody we know owns. */
export const listTools = (url: string): string => `npx -y -p mcp-remote mcp-remote-client ${url}`

/** A name that every client takes, from a resource's id. */
export const nameForClient = (id: string): string =>
  id.replace(/[^A-Za-z0-9_-]+/g, '-').replace(/^-+|-+$/g, '') || 'server'
