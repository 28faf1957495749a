# Reads the feed as JSON lines with aiohttp at each address that is given, for ever, and prints the address and each line.
import asyncio
import json
import sys

import aiohttp


async def follow(session, url):
    headers = {"Accept": "application/x-ndjson"}
    while True:
        try:
            async with session.get(url, headers=headers) as response:
                async for line in response.content:
                    if not line.strip():
                        continue
                    headers["Last-Event-ID"] = json.loads(line)["meta"]["cursor"]
                    print(url, line.decode().strip(), flush=True)
        except (aiohttp.ClientError, json.JSONDecodeError):
            pass
        await asyncio.sleep(1)


async def main():
    timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        await asyncio.gather(*(follow(session, url) for url in sys.argv[1:]))


asyncio.run(main())
