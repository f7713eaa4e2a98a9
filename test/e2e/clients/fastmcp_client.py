"""FastMCP's client with `auth=OAuth`, which listens for the callback itself.

Argument: the URL of the server. It prints the authorization URL on a line instead of opening a browser, calls the tool
`echo` on two connections that share their memory, and prints what it got.
"""

import asyncio
import json
import sys
import webbrowser

from fastmcp import Client
from fastmcp.client.auth import OAuth
from key_value.aio.stores.memory import MemoryStore

SERVER = sys.argv[1]


def say(**message):
    print(json.dumps(message), flush=True)


def open_browser(url, *_):
    say(authorize=url)
    return True


webbrowser.open = open_browser


async def main():
    memory = MemoryStore()
    echoed = []
    for message in ["hello", "again"]:
        async with Client(SERVER, auth=OAuth(token_storage=memory)) as client:
            result = await client.call_tool("echo", {"message": message})
            echoed.append(result.content[0].text)
    say(echoed=echoed)


asyncio.run(main())
