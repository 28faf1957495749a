# Reads the feed with requests at each address that is given, for ever, and prints the address and the data of each message.
import sys
import threading
import time

import requests


def follow(url):
    headers = {}
    while True:
        try:
            cursor, data = None, ""
            with requests.get(url, headers=headers, stream=True, timeout=60) as response:
                for line in response.iter_lines(chunk_size=1, decode_unicode=True):
                    field, _, value = line.partition(": ")
                    if field == "id":
                        cursor = value
                    elif field == "data":
                        data = value
                    elif field == "" and cursor:
                        if data:
                            print(f"{url} {data}\n", end="", flush=True)
                        headers["Last-Event-ID"] = cursor
                        cursor, data = None, ""
        except (requests.RequestException, OSError):
            pass
        time.sleep(1)


threads = [threading.Thread(target=follow, args=(url,)) for url in sys.argv[1:]]
for thread in threads:
    thread.start()
