"""The Python SDK of MCP, used as its hosts use it.

Arguments: the URL of the server, a redirect URI, and the file where tokens and registration are kept. It prints each
authorization URL on a line, reads the callback's URL from the next line of standard input, calls the tool `echo`, lets
the access token expire, calls it again, and prints what it got.
"""

import json
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx2
from mcp.client import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)

SERVER, REDIRECT_URI, MEMORY = sys.argv[1:4]


def say(**message):
    print(json.dumps(message), flush=True)


class Storage:
    """Keeps everything in a file, as a host does between two starts."""

    def __init__(self, file):
        self.file = Path(file)
        self.kept = json.loads(self.file.read_text()) if self.file.exists() else {}
        self.received = []

    def keep(self, name, value):
        self.kept[name] = value.model_dump(mode="json", exclude_none=True)
        self.file.write_text(json.dumps(self.kept))

    async def get_tokens(self):
        return OAuthToken.model_validate(self.kept["tokens"]) if "tokens" in self.kept else None

    async def set_tokens(self, tokens):
        self.received.append(tokens)
        self.keep("tokens", tokens)

    async def get_client_info(self):
        client = self.kept.get("client")
        return OAuthClientInformationFull.model_validate(client) if client else None

    async def set_client_info(self, client_info):
        self.keep("client", client_info)


async def open_browser(url):
    say(authorize=url)


async def await_callback():
    line = await anyio.to_thread.run_sync(sys.stdin.readline)
    query = {name: values[0] for name, values in parse_qs(urlsplit(line.strip()).query).items()}
    if "code" not in query:
        raise RuntimeError(f"no code: {query.get('error')} {query.get('error_description')}")
    return AuthorizationCodeResult(code=query["code"], state=query.get("state"), iss=query.get("iss"))


async def echo(client, message):
    result = await client.call_tool("echo", {"message": message})
    return result.content[0].text


async def main():
    storage = Storage(MEMORY)
    auth = OAuthClientProvider(
        server_url=SERVER,
        client_metadata=OAuthClientMetadata(
            client_name="Python SDK", redirect_uris=[REDIRECT_URI], token_endpoint_auth_method="none"
        ),
        storage=storage,
        redirect_handler=open_browser,
        callback_handler=await_callback,
    )
    async with httpx2.AsyncClient(auth=auth, timeout=30) as http:
        async with Client(streamable_http_client(SERVER, http_client=http)) as client:
            first = await echo(client, "hello")
            # Instead of waiting for an hour.
            auth.context.token_expiry_time = time.time() - 1
            say(echoed=[first, await echo(client, "again")], tokens=len(storage.received))


anyio.run(main)
