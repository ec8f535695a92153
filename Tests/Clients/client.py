"""One side of the conversation, spoken by PyPI's `websockets`. The token travels in the Authorization header."""

import asyncio
import json
import sys

from websockets.asyncio.client import connect


class Mailbox:
    """What arrived and nobody has asked for yet."""

    def __init__(self, socket):
        self.socket = socket
        self.frames = []
        self.arrived = asyncio.Event()

    async def fill(self):
        async for text in self.socket:
            self.frames.append((json.loads(text), text))
            self.arrived.set()

    async def expect(self, what, wanted):
        """The first frame that `wanted` accepts, whatever came before it."""
        try:
            async with asyncio.timeout(120):
                while True:
                    for index, (frame, text) in enumerate(self.frames):
                        require(frame["type"] != "error", f"the server answered with an error: {text}")
                        if wanted(frame):
                            return self.frames.pop(index)
                    self.arrived.clear()
                    await self.arrived.wait()
        except TimeoutError:
            seen = "\n  ".join(text for _, text in self.frames)
            raise AssertionError(f"never saw {what}; waiting to be asked for:\n  {seen}") from None


def require(condition, complaint):
    if not condition:
        raise AssertionError(complaint)


async def say(socket, **envelope):
    await socket.send(json.dumps(envelope))


async def join(socket, mail, talk):
    await say(socket, type="join_room", payload={"room_id": talk["room"]}, id="join")
    info, _ = await mail.expect("room_info", lambda f: f["type"] == "room_info")
    users = [user["id"] for user in info["payload"]["users"]]
    require(talk["me"] in users, f"room_info without the joiner: {info}")
    require(info["payload"]["count"] == len(users), f"room_info counts wrongly: {info}")
    require(isinstance(info["payload"]["epoch"], str), f"room_info without an epoch: {info}")
    if talk["first"]:
        require(users == [talk["me"]], f"somebody is in a new room: {info}")
    else:
        require(talk["peer"] in users, f"room_info without the one who was there: {info}")


def from_peer(talk, kind):
    return lambda f: f["type"] == kind and f["sender"]["id"] == talk["peer"]


async def exchange(socket, mail, talk):
    # What a client says about sender, time and order is not to be believed, and payload bytes not to be touched.
    await socket.send(
        '{"type":"send_message","room":"%s","id":"%s","sender":{"id":"0","name":"liar"},"timestamp":"never",'
        '"offset":7,"payload":%s}' % (talk["room"], talk["message_id"], talk["payload"])
    )
    ack, text = await mail.expect("ack", lambda f: f["type"] == "ack" and f.get("id") == talk["message_id"])
    place = ack["offset"]
    body = ack["payload"]
    require(place in (1, 2) and body["message_id"] and body["epoch"], f"ack without its place: {text}")
    require(ack["room"] == talk["room"] and not body.get("dup"), f"not a first message of this room: {text}")
    message, text = await mail.expect("new_message", from_peer(talk, "new_message"))
    require('"payload":' + talk["peer_payload"] in text, f"payload was touched: {text}")
    require(message["sender"]["name"] == talk["peer_name"], f"name is not the token's: {text}")
    require(message["room"] == talk["room"], f"wrong room: {text}")
    require({message["offset"], place} == {1, 2}, f"offsets do not share one order: {ack} {text}")


async def type_and_stop(socket, mail, talk):
    await say(socket, type="typing", room=talk["room"])
    await mail.expect("user_typing", from_peer(talk, "user_typing"))
    await say(socket, type="stop_typing", room=talk["room"])
    await mail.expect("user_stopped_typing", from_peer(talk, "user_stopped_typing"))


async def whisper(socket, mail, talk):
    await say(socket, type="private", recipient_id=int(talk["peer"]), id="private", payload={"psst": talk["me"]})
    ack, text = await mail.expect("ack of private", lambda f: f["type"] == "ack" and f.get("id") == "private")
    require(ack["payload"]["recipients"] == 1, f"private reached the wrong number: {text}")
    private, text = await mail.expect("private", from_peer(talk, "private"))
    require(private["sender_id"] == int(talk["peer"]), f"sender_id is not a number: {text}")
    require(private["payload"] == {"psst": talk["peer"]}, f"wrong private payload: {text}")


async def leave(socket, mail, talk):
    if talk["first"]:
        await say(socket, type="leave_room", payload={"room_id": talk["room"]}, id="leave")
        await mail.expect("ack of leave", lambda f: f["type"] == "ack" and f.get("id") == "leave")
    else:
        await mail.expect("user_left", from_peer(talk, "user_left"))
    require(not any(f["type"] == "new_message" for f, _ in mail.frames), f"surprise: {mail.frames}")


async def told(what):
    line = await asyncio.to_thread(sys.stdin.readline)
    require(line.strip() == what, f"the driver said {line!r} instead of {what}")


async def converse(talk):
    headers = {"Authorization": "Bearer " + talk["token"]}
    compression = "deflate" if "compressed" in sys.argv else None
    async with connect(talk["url"], additional_headers=headers, compression=compression) as socket:
        agreed = [extension.name for extension in socket.protocol.extensions]
        require(agreed == (["permessage-deflate"] if compression else []), f"agreed on {agreed}")
        mail = Mailbox(socket)
        filling = asyncio.create_task(mail.fill())
        await join(socket, mail, talk)
        print("joined", flush=True)
        await told("go")
        if talk["first"]:
            await mail.expect("user_joined", from_peer(talk, "user_joined"))
        await exchange(socket, mail, talk)
        await type_and_stop(socket, mail, talk)
        await whisper(socket, mail, talk)
        await say(socket, type="ping", id="ping")
        await mail.expect("pong", lambda f: f["type"] == "pong")
        await leave(socket, mail, talk)
        await socket.close(1000)
        await filling
        require(socket.close_code == 1000, f"closed with {socket.close_code}")


asyncio.run(converse(json.loads(sys.argv[1])))
print("done", flush=True)
