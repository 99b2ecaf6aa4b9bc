"""Stream cases as JSON: what a replay script holds, and what `lab inject shrink` works on."""

from __future__ import annotations

from typing import Any

from lab.inject.stream import (
    Expect,
    Fin,
    On,
    Pause,
    Rst,
    Step,
    StreamCase,
    Trickle,
    Until,
)

NAMES: dict[str, Any] = {
    "pause": Pause, "trickle": Trickle, "until": Until, "fin": Fin, "rst": Rst
}  # fmt: skip


def step_to_json(step: Step) -> list[Any]:
    """["send", hex], ["pause", seconds], ["on", number, step] .."""
    if isinstance(step, bytes):
        return ["send", step.hex()]
    if isinstance(step, On):
        return ["on", step.connection, step_to_json(step.step)]
    if isinstance(step, Trickle):
        return ["trickle", step.data.hex(), step.size, step.gap]
    name = next(name for name, kind in NAMES.items() if kind is type(step))
    return [name, *vars(step).values()]


def step_from_json(data: list[Any]) -> Step:
    """The other way. Raises ValueError, KeyError, IndexError."""
    name, *rest = data
    if name == "send":
        return bytes.fromhex(rest[0])
    if name == "on":
        inner = step_from_json(rest[1])
        if isinstance(inner, On):
            raise ValueError("an `on` in an `on`")
        return On(int(rest[0]), inner)
    if name == "trickle":
        return Trickle(bytes.fromhex(rest[0]), int(rest[1]), float(rest[2]))
    step: Step = NAMES[name](*rest)
    return step


def expect_to_json(expect: Expect) -> dict[str, Any]:
    """Its fields; bytes as hex."""
    return {
        **vars(expect),
        "frames": [[opcode, payload.hex()] for opcode, payload in expect.frames],
        "body": None if expect.body is None else expect.body.hex(),
    }


def expect_from_json(data: dict[str, Any]) -> Expect:
    """The other way."""
    frames = tuple((int(opcode), bytes.fromhex(payload)) for opcode, payload in data["frames"])
    body = None if data["body"] is None else bytes.fromhex(data["body"])
    pair = {key: data[key] and tuple(data[key]) for key in ("header", "after")}
    if isinstance(data["status"], list):
        pair["status"] = tuple(data["status"])
    return Expect(**{**data, "frames": frames, "body": body, **pair})


def to_json(case: StreamCase) -> dict[str, Any]:
    """The whole case, for a replay script."""
    return {
        **vars(case),
        "steps": [step_to_json(step) for step in case.steps],
        "expect": expect_to_json(case.expect),
        "others": [expect_to_json(expect) for expect in case.others],
    }


def from_json(data: dict[str, Any]) -> StreamCase:
    """The other way. Raises ValueError, KeyError, TypeError, IndexError."""
    return StreamCase(**{
        **data,
        "steps": tuple(step_from_json(step) for step in data["steps"]),
        "expect": expect_from_json(data["expect"]),
        "others": tuple(expect_from_json(expect) for expect in data["others"]),
        "targets": tuple(data["targets"]),
    })  # fmt: skip
