"""Publishes one event from a Python back end, with nothing but the standard library. Take `publish` into your own code.

Try it:  PUBLISH_TOKEN=$(cat var/token) python3 publish/publish.py TYPE '{"hello": "world"}' [KEY]
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid

URL = os.environ.get("PUBLISH_URL", "http://127.0.0.1:8080/publish")
TOKEN = os.environ["PUBLISH_TOKEN"]
TRY_S = 10  # for one request
GIVE_UP_S = 60  # for all of them; after that let a queue of yours try again later, with the same key


def publish(type_, data, key):
    """The event's id, once it is stored. The same key always means the same event: then a repetition doubles nothing.

    Take the key from what happened ("order-17-shipped"), so that your back end repeats it after a crash of its own.
    """
    request = urllib.request.Request(
        URL,
        data=json.dumps({"type": type_, "data": data}).encode(),
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", "Idempotency-Key": key},
    )
    end, pause = time.monotonic() + GIVE_UP_S, 0.5
    while True:
        try:
            with urllib.request.urlopen(request, timeout=TRY_S) as response:
                return json.load(response)["id"]  # 201: stored now; 200: it was stored before, by the same key
        except urllib.error.HTTPError as error:
            if error.code not in (429, 502, 503, 504):  # anything else stays wrong however often it is repeated
                raise RuntimeError(f"{error.code}: {error.read().decode(errors='replace')}") from error
            why = error
        except OSError as error:  # no connection, or no answer in time: perhaps it was stored, so repeat with this key
            why = error
        if time.monotonic() + pause > end:
            raise RuntimeError(f"not stored within {GIVE_UP_S} s") from why
        time.sleep(pause)
        pause = min(5, pause * 2)


if __name__ == "__main__":
    print(publish(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else str(uuid.uuid4())))
