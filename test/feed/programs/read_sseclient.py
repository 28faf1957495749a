# Reads the feed with sseclient at each address that is given, for ever, and prints the address and the data of each message.
import sys
import threading

from sseclient import SSEClient


def follow(url):
    for event in SSEClient(url, retry=1000):
        if event.data:
            print(f"{url} {event.data}\n", end="", flush=True)


for url in sys.argv[1:]:
    threading.Thread(target=follow, args=(url,)).start()
