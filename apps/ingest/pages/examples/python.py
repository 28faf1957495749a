import json, time
from urllib.request import Request, urlopen

url = "http://127.0.0.1:8000/sse/?kind=merge_request,push"
headers = {}
while True:
    try:
        cursor, event, data = None, "message", ""
        for line in urlopen(Request(url, headers=headers), timeout=60):
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "id":
                cursor = value
            elif field == "event":
                event = value
            elif field == "data":
                data = value
            elif field == "" and cursor:
                if event == "gap":
                    print("something is gone:", data, flush=True)
                elif data:
                    meta = json.loads(data)["meta"]
                    print(meta["dt"], meta["kind"], meta.get("uri"), flush=True)
                headers["Last-Event-ID"] = cursor
                cursor, event, data = None, "message", ""
    except OSError as error:
        print(error, flush=True)
    time.sleep(3)
