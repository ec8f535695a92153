#!/usr/bin/env python3
"""A whole client for one room: prints what is said there, or says one thing. Breaks lose nothing and double nothing.

    client.py ws://localhost:8080/ws TOKEN ROOM [TEXT]

Needs `websockets` (Debian: python3-websockets).
"""
import asyncio
import json
import random
import sys
import uuid

import websockets

FINAL = (1000, 4500, 4501)  # close codes after which nobody comes back by himself


async def talk(line, room, place, unsent):
    """One connection; true when there is nothing left to do. `place` in the room is kept for the next one."""
    wish = {"since": dict(place)} if place else {"history": 50}
    await line.send(json.dumps({"type": "join_room", "payload": {"room_id": room, **wish}}))
    async for frame in line:
        message = json.loads(frame)
        kind, payload = message["type"], message.get("payload")
        if kind in ("room_info", "resync"):
            place.update(epoch=payload["epoch"], offset=payload["offset"])
            if kind == "resync" or payload.get("recovered") is False:
                print("* something may be missing here", flush=True)
        if kind == "room_info":
            print(f"* {payload['count']} here", flush=True)
            if unsent:  # under the same id as before: it is stored once
                await line.send(json.dumps(unsent))
        if kind == "new_message":
            place["offset"] = max(place["offset"], message.get("offset", 0))
            content = payload.get("content", payload) if isinstance(payload, dict) else payload
            print(f"{message.get('sender', {}).get('name', '-')}: {content}", flush=True)
        if kind == "ack" and unsent and message["id"] == unsent["id"]:
            return True
        if kind == "error":
            print(f"* {payload['code']}: {payload['message']}", flush=True)
            if "retry_after_ms" not in payload:
                return True
            await asyncio.sleep(payload["retry_after_ms"] / 1000)
            return False  # all of it once more
    return False


async def main(url, token, room, text=None):
    unsent = text and {"type": "send_message", "room": room, "id": str(uuid.uuid4()), "payload": {"content": text}}
    place, tries = {}, 0
    while True:
        try:
            async with websockets.connect(f"{url}?token={token}") as line:
                tries = 0
                if await talk(line, room, place, unsent) or line.close_code in FINAL:
                    return
        except websockets.ConnectionClosed as end:
            if end.rcvd and end.rcvd.code in FINAL:
                return print(f"* the end: {end.rcvd.code} {end.rcvd.reason}")
        except (OSError, websockets.WebSocketException) as problem:
            print(f"* {problem}", flush=True)
        tries += 1
        await asyncio.sleep(random.uniform(0, min(30, 2**tries)))


asyncio.run(main(*sys.argv[1:]))
