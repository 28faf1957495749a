import json, time
from urllib.request import Request, urlopen

url = "http://127.0.0.1:8000/sse/?kind=merge_request,push"
headers = {}
while True:
    try:
        event, data = "message", ""
        for line in urlopen(Request(url, headers=headers), timeout=60):
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "id":
                headers["Last-Event-ID"] = value
            elif field == "event":
                event = value
            elif field == "data":
                data = value
            elif field == "" and data:
                message = json.loads(data)
                if event == "gap":
                    print("something is gone:", data, flush=True)
                else:
                    print(message["meta"]["dt"], message["meta"]["kind"], message["project"]["path_with_namespace"], flush=True)
                event, data = "message", ""
    except OSError as error:
        print(error, flush=True)
    time.sleep(3)
