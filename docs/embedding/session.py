"""The component from Python: a device and a gateway, each in an instance of its own, and a packet between them.

    python session.py COMPONENT        needs the package `wasmtime` (48.0)
"""

import math
import sys

from wasmtime import Config, Engine, Store, Trap, WasmtimeError
from wasmtime.component import Component, Linker, Record, Variant

SESSION = "sidetone:media/session@0.1.0"
# A call that lasts longer than so many ticks of the engine's clock is ended: who embeds this calls
# `engine.increment_epoch()` every few ms, from a thread of its own.
TICKS = 10


def record(**fields):
    """A WIT record; `-` of its fields is `_` here."""
    made = Record()
    for name, value in fields.items():
        setattr(made, name.replace("_", "-"), value)
    return made


class Refused(Exception):
    """An error of the WIT interface: nothing happened. Anything else that is raised means that the instance is gone."""


class Session:
    """One session in an instance of its own."""

    def __init__(self, engine, component, key, config):
        self.engine = engine
        self.store = Store(engine)
        self.store.set_limits(memory_size=16 << 20)
        self.store.set_epoch_deadline(TICKS)
        # The component imports nothing, so the linker has nothing.
        self.instance = Linker(engine).instantiate(self.store, component)
        self.index = self.instance.get_export_index(self.store, SESSION)
        high, low = int.from_bytes(key[:8], "big"), int.from_bytes(key[8:], "big")
        self.stream = self.call("[static]stream.open", record(high=high, low=low), config)

    def call(self, name, *args):
        index = self.instance.get_export_index(self.store, name, self.index)
        function = self.instance.get_func(self.store, index)
        self.store.set_epoch_deadline(TICKS)
        result = function(self.store, *args)
        # wasmtime-py leaves `ok` and `err` away where the two are of different classes. No function here gives a variant or
        # a number that is no error.
        if isinstance(result, Variant) and result.tag == "ok":
            return result.payload
        if isinstance(result, (Variant, int)):
            raise Refused(describe(result))
        return result

    def send(self, pcm, timestamp):
        return self.call("[method]stream.send", self.stream, pcm, timestamp)

    def receive(self, datagram):
        return self.call("[method]stream.receive", self.stream, datagram)

    def close(self):
        """Zeroises the key."""
        self.stream.drop(self.store)


def describe(error):
    if isinstance(error, Variant):
        return error.tag if error.payload is None else f"{error.tag}({describe(error.payload)})"
    return str(error)


def config(role, hears, speaks):
    return record(
        role=role,
        connection_id=7,
        incoming=record(
            payload="opus", delivery="pcm", frame=60_000, channels=1, sample_rate=hears,
            max_concealed=5, forward_limit=500, accept_unmarked_downlink=False,
        ),
        outgoing=record(
            payload="opus", frame=60_000, channels=1, sample_rate=speaks, application="voip",
            bitrate=Variant("bits-per-second", 24_000), vbr=True, dtx=False, fec=False, expected_loss=0,
            signal="voice", split="auto", timestamps="elapsed",
        ),
        quality="medium",
        resume=None,
    )


def main(file):
    settings = Config()
    settings.epoch_interruption = True
    engine = Engine(settings)
    component = Component.from_file(engine, file)
    key = bytes(range(16))
    device = Session(engine, component, key, config("device", hears=24_000, speaks=16_000))
    gateway = Session(engine, component, key, config("gateway", hears=16_000, speaks=24_000))

    tone = [int(8000 * math.sin(2 * math.pi * 440 * n / 16_000)) for n in range(960)]
    for frame in range(3):
        (datagram,) = device.send(tone, frame * 60)
        heard = gateway.receive(datagram)
        print(f"sequence {heard.sequence}: {len(datagram)} bytes, {len(heard.samples)} samples, {heard.kind}")
    try:
        gateway.receive(datagram)
    except Refused as error:
        print(f"the same again: {error}")
    device.close()
    gateway.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("session.py: name the component: python session.py sidetone.component.wasm")
    try:
        main(sys.argv[1])
    except (OSError, WasmtimeError, Trap) as error:
        sys.exit(f"session.py: {sys.argv[1]}: {error}")
