"""A sample MCP server that shows what reaches it: `headers` answers with the headers of the call, `echo` with its text."""

import os

from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("headers")


@server.tool(annotations={"readOnlyHint": True})
def headers(ctx: Context) -> dict[str, str]:
    """Shows the HTTP headers of this call, with all that the proxy says about the caller."""
    return dict(ctx.headers or {})


@server.tool(annotations={"readOnlyHint": True})
def echo(text: str) -> str:
    """Says what it is told."""
    return text


if __name__ == "__main__":
    server.run(
        "streamable-http",
        host=os.environ.get("HOST", "127.0.0.1"),
        port=int(os.environ.get("PORT", "3002")),
        stateless_http=os.environ.get("STATELESS") == "1",
    )
