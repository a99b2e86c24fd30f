"""The house keeps its measures: every aim of `python -m tools.measure`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import measure
from tools.measure import House, Module

ASPECTS = 19


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A small one, of another tree."""
    for name, text in {
        "core/low/__init__.py": "",
        "core/low/rows.py": "def read(a, b, *, c=1): ...\n",
        "core/high/__init__.py": "from core.high.deep import Deep\n",
        "core/high/deep.py": "from core.low import rows\n\nclass Deep: ...\n",
        "bot/admin.py": "COUNT = f'SELECT count(*) FROM {1}'\n",
        "bot/notes.py": "NOTE = 'SELECTED with care: UPDATE nothing'\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return House(tmp_path)


def test_every_aim_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    measure.main()
    lines = capsys.readouterr().out.splitlines()[1:]
    assert len(lines) == ASPECTS
    assert [line for line in lines if line.endswith("not met")] == []


def test_statements_are_found_also_in_what_is_formatted(house: House) -> None:
    assert house.sql_above_core() == ["bot.admin"]


def test_arrows_go_from_who_imports_to_whom(house: House) -> None:
    core = house.modules("core")
    assert house.districts() == ["high", "low"]
    assert measure.arrows(core, house.districts()) == {("high", "low")}
    assert measure.cycles(core) == []


def test_a_cycle_is_found_and_what_hangs_on_it(house: House) -> None:
    back = Module.of("core.low.rows", "from core.high.deep import Deep")
    core = [one for one in house.modules("core") if one.name != back.name]
    assert measure.cycles([*core, back]) == ["core.high", "core.high.deep", "core.low.rows"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("def f(self, a, /, b, *, c): ...", 3),
        ("def f(cls): ...", 0),
        ("async def f(a, *rest, **more): ...", 1),
    ],
)
def test_parameters_are_those_with_a_name(text: str, count: int) -> None:
    (function,) = measure.functions([Module.of("m", text)])
    assert measure.count_parameters(function) == count


def test_ninety_five_of_a_hundred_are_within_the_percentile() -> None:
    assert measure.percentile(list(range(1, 101))) == 95
    assert measure.percentile([7]) == 7


@pytest.mark.parametrize(
    ("said", "wide"),
    [
        ("Many of them.", True),
        ("More than seven verbs: because.", True),
        ("More than seven verbs: each is one moment of a call.", False),
    ],
)
def test_many_verbs_need_a_reason(said: str, wide: bool) -> None:
    verbs = "\n".join(f"    def v{n}(self): ..." for n in range(8))
    module = Module.of("m", f'class Many:\n    """{said}"""\n{verbs}\n')
    assert measure.wide_objects([module]) == (["m.Many"] if wide else [])


def test_a_property_is_no_verb() -> None:
    verbs = ("@property", "def a(self): ...", "def b(self): ...", "def _c(self): ...")
    text = "class C:\n" + "".join(f"    {line}\n" for line in verbs)
    ((_, node),) = measure.classes([Module.of("m", text)])
    assert measure.public_verbs(node) == {"b"}


def test_names_say_what_a_module_is() -> None:
    names = ["x.domain", "x.saying", "x.one_by_one_asking", "x.routing", "x.rows"]
    modules = [Module.of(name, "") for name in names]
    assert measure.nameless(modules) == ["x.domain", "x.saying", "x.one_by_one_asking"]


def test_a_wide_constructor_is_found() -> None:
    six = "self, a, b, c, d, e, f"
    texts = [
        f"class {n}:\n    def __init__({p}): ...\n" for n, p in (("A", six), ("B", six + ", g"))
    ]
    assert measure.wide_constructors([Module.of("m", "".join(texts))]) == ["m.B"]
