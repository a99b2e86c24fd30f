"""Values in a fixed order, with literals between: a text like `${body.no}|${body.state}`, or all of
a list of fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from core.connectors.document import Sign
from core.connectors.operators import plain
from core.connectors.pipes import Pipe, Scope
from core.connectors.readings.graph import TIGHT, Kind, Node, as_said, holds, may_be, only_reading
from core.connectors.readings.roles import Role
from core.connectors.signatures import comes_in


def of_text(rule: Sign, scope: Scope, roles: Sequence[Role]) -> str | None:
    """Why the text of a signature reads in two ways; None where it reads in one."""
    pipes = [part for part in rule.text.parts if isinstance(part, Pipe) and comes_in(part.name)]
    if len(pipes) < 2:
        return None
    literals, values, changed = [""], [], set()
    for part in rule.text.parts:
        said = part if isinstance(part, str) else plain(part.value(scope))
        if isinstance(part, Pipe) and comes_in(part.name):
            values.append((part.name, said))
            if part.steps:
                changed.add(part.name)
            literals.append("")
        else:
            literals[-1] += said
    kinds: dict[str, Kind] = {
        f"body.{'.'.join(path)}": role.kind for role in roles for path in role.places
    }
    decided = {name: said for name, said in values if name in (*kinds, "params", "body", "content")}
    kinds |= {name: "word" for name, _ in values if name.startswith("header.")}
    for name in changed:
        if kinds.get(name) == "amount":
            kinds[name] = "word"  # the digest of an amount is none
    kinds = as_said(kinds, decided)
    return apart(Slots(values, literals, kinds, literals[1:-1]), decided, kinds)


class Slots:
    """Values in a fixed order, with literals before, between and behind them."""

    def __init__(
        self,
        values: Sequence[tuple[str, str]],
        literals: Sequence[str],
        kinds: Mapping[str, Kind],
        between: Iterable[str],
    ) -> None:
        """literals: before, between and behind the values. between: what no number holds."""
        self._names = [name for name, _ in values]
        self._values = [value for _, value in values]
        self._literals = literals
        self._between = [literal for literal in dict.fromkeys(between) if literal]
        self._kinds = [kinds.get(name, "free") for name in self._names]
        self._own_ends: list[int] = []
        text = literals[0]
        for (_, value), literal in zip(values, literals[1:], strict=True):
            self._own_ends.append(len(text) + len(value))
            text += value + literal
        self.text = text

    def begins(self) -> Iterable[Node]:
        return [("0", len(self._literals[0]))]

    def held(self) -> str | None:
        """What holds something that parts it from what stands beside it, and may not."""
        for index, name in enumerate(self._names):
            if self._kinds[index] in TIGHT:
                for literal in self._between:
                    if literal in self._values[index]:
                        return holds(name, literal)
        return None

    def parts(self, text: str) -> bool:
        return text.startswith(tuple(self._between))

    def name(self, node: Node) -> str:
        return self._names[int(node[0])]

    def ends(self, node: Node) -> Iterator[tuple[int, Node | None]]:
        index, start = int(node[0]), node[1]
        last = index == len(self._names) - 1
        for end in self._ends(index, start, last=last):
            if self._is_legal(index, self.text[start:end]):
                behind = end + len(self._literals[index + 1])
                yield end, None if last else (str(index + 1), behind)
            elif self._kinds[index] in TIGHT:
                return  # what is too long already does not get better

    def _ends(self, index: int, start: int, *, last: bool) -> Iterator[int]:
        literal = self._literals[index + 1]
        if last or not literal:
            # Where no literal stands, loading saw to it that nothing can be mistaken.
            end = self._own_ends[index]
            if end >= start:
                yield end
            return
        end = self.text.find(literal, start)
        while end >= 0:
            yield end
            end = self.text.find(literal, end + 1)

    def _is_legal(self, index: int, value: str) -> bool:
        kind = self._kinds[index]
        if kind in TIGHT and any(literal in value for literal in self._between):
            return False
        return may_be(kind, value) or not value


def apart(source: Slots, decided: Mapping[str, str], kinds: Mapping[str, Kind]) -> str | None:
    """Why these values could be others; None where they could not. decided: what counts of them."""
    return source.held() or only_reading(source, decided, kinds)
