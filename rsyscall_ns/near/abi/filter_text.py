"""The text of programs of classic BPF: one instruction a line, as tcpdump and the kernel write it.

``assemble_filter(disassemble_filter(program))`` is the program, whatever it is::

            ld [4]              ; the architecture
            jeq #0xc000003e, here
            ret #0x80000000
    here:   ld [0]
            ret #0x7fff0000

A conditional jump names where it goes if it holds, and may name where it goes if not, which
else is the next line. ``;`` begins a comment. ``raw CODE JT JF K`` is any instruction.
"""

from __future__ import annotations

import re
from typing import Final

from .filter_h import BPF, FilterError, FilterProgram, SockFilter

__all__ = ["assemble_filter", "disassemble_filter"]

_NUMBER: Final = r"(0[xX][0-9a-fA-F]+|\d+)"
_LABEL: Final = re.compile(r"\s*([A-Za-z_]\w*)\s*:(?!\S*\])")
_FARTHEST: Final = 255
_CODES: Final = 0xFFFF
_LD: Final[dict[str, int]] = {"ld": BPF.LD | BPF.W, "ldh": BPF.LD | BPF.H, "ldb": BPF.LD | BPF.B}
_ALU: Final = {
    "add": BPF.ADD,
    "sub": BPF.SUB,
    "mul": BPF.MUL,
    "div": BPF.DIV,
    "mod": BPF.MOD,
    "or": BPF.OR,
    "and": BPF.AND,
    "xor": BPF.XOR,
    "lsh": BPF.LSH,
    "rsh": BPF.RSH,
}
_JUMPS: Final = {"jeq": BPF.JEQ, "jgt": BPF.JGT, "jge": BPF.JGE, "jset": BPF.JSET}
_PLAIN: Final[dict[str, int]] = {
    "ld len": BPF.LD | BPF.W | BPF.LEN,
    "ldx len": BPF.LDX | BPF.W | BPF.LEN,
    "neg": BPF.ALU | BPF.NEG,
    "ret a": BPF.RET | BPF.A,
    "tax": BPF.MISC | BPF.TAX,
    "txa": BPF.MISC | BPF.TXA,
    **{f"{name} x": BPF.ALU | op | BPF.X for name, op in _ALU.items()},
}
# how an instruction with a number is written; ``@`` stands for the number
_WITH_K: Final[dict[str, int]] = {
    "ld #@": BPF.LD | BPF.IMM,
    "ldx #@": BPF.LDX | BPF.IMM,
    "ld M[@]": BPF.LD | BPF.MEM,
    "ldx M[@]": BPF.LDX | BPF.MEM,
    "st M[@]": BPF.ST,
    "stx M[@]": BPF.STX,
    "ldxb 4*([@]&0xf)": BPF.LDX | BPF.B | BPF.MSH,
    "ret #@": BPF.RET | BPF.K,
    **{f"{name} [@]": code | BPF.ABS for name, code in _LD.items()},
    **{f"{name} [x + @]": code | BPF.IND for name, code in _LD.items()},
    **{f"{name} #@": BPF.ALU | op | BPF.K for name, op in _ALU.items()},
}
_TEXTS: Final = {code: text for text, code in {**_PLAIN, **_WITH_K}.items()}
_JUMP_TEXTS: Final = {
    BPF.JMP | op | source: f"{name} {text}"
    for name, op in _JUMPS.items()
    for source, text in ((BPF.K, "#@"), (BPF.X, "x"))
}
_RAW: Final = re.compile(rf"raw {_NUMBER} {_NUMBER} {_NUMBER} {_NUMBER}")


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\ ", r"\s*").replace("@", _NUMBER))


_PATTERNS: Final = [(_pattern(text), code) for text, code in {**_PLAIN, **_WITH_K}.items()]
_JUMP_PATTERNS: Final = [
    (re.compile(rf"{_pattern(text).pattern}\s*,\s*(\w+)(?:\s*,\s*(\w+))?"), code)
    for code, text in _JUMP_TEXTS.items()
]


def assemble_filter(text: str) -> FilterProgram:
    """Return the program that a text is; raises FilterError, which names the line."""
    labels: dict[str, int] = {}
    lines: list[tuple[int, str]] = []
    for number, whole in enumerate(text.splitlines(), 1):
        line = whole.split(";", 1)[0]
        while found := _LABEL.match(line):
            if found[1] in labels:
                raise FilterError(f"there are two labels {found[1]!r}", number)
            labels[found[1]] = len(lines)
            line = line[found.end() :]
        if line.strip():
            lines.append((number, " ".join(line.split())))
    return FilterProgram(
        _instruction(line, at, number, labels) for at, (number, line) in enumerate(lines)
    )


def _instruction(line: str, at: int, number: int, labels: dict[str, int]) -> SockFilter:
    if found := _RAW.fullmatch(line):
        code, jt, jf, k = (int(part, 0) for part in found.groups())
        if code > _CODES or max(jt, jf) > _FARTHEST:
            raise FilterError(f"{line!r} does not fit an instruction", number)
        return SockFilter(code, jt, jf, _k(k, number))
    for pattern, code in _PATTERNS:
        if found := pattern.fullmatch(line):
            return SockFilter(code, 0, 0, _k(int((*found.groups(), "0")[0], 0), number))
    if found := re.fullmatch(r"(?:ja|jmp) (\w+)", line):
        return SockFilter(BPF.JMP | BPF.JA, 0, 0, _skip(found[1], at, number, labels))
    for pattern, code in _JUMP_PATTERNS:
        if found := pattern.fullmatch(line):
            number_text, then, other = ("0", *found.groups())[-3:]
            jt = _skip(then, at, number, labels)
            jf = _skip(other, at, number, labels) if other else 0
            if max(jt, jf) > _FARTHEST:
                raise FilterError(f"it jumps over {max(jt, jf)} lines, 255 are the most", number)
            return SockFilter(code, jt, jf, _k(int(number_text, 0), number))
    raise FilterError(f"{line!r} is no instruction", number)


def _k(value: int, number: int) -> int:
    if value > 2**32 - 1:
        raise FilterError(f"{value:#x} has more than 32 bits", number)
    return value


def _skip(label: str, at: int, number: int, labels: dict[str, int]) -> int:
    if label not in labels:
        raise FilterError(f"there is no label {label!r}", number)
    if labels[label] <= at:
        raise FilterError(f"{label!r} is not below it: jumps go down only", number)
    return labels[label] - at - 1


def disassemble_filter(program: FilterProgram) -> str:
    """Return the text of a program, a line for each instruction, with labels where it jumps to."""
    steps = program.instructions
    texts = [_text(step, at, len(steps)) for at, step in enumerate(steps)]
    named = {int(label) for text in texts for label in re.findall(r"\bl(\d+)\b", text)}
    return "".join(f"{f'l{at}:' if at in named else '':8}{text}\n" for at, text in enumerate(texts))


def _text(step: SockFilter, at: int, count: int) -> str:
    k = f"{step.k:#x}"
    plain = not step.jt and not step.jf
    if step.code in _TEXTS and plain and ("@" in _TEXTS[step.code] or not step.k):
        return _TEXTS[step.code].replace("@", str(step.k) if "[" in _TEXTS[step.code] else k)
    here = at + 1
    if step.code == BPF.JMP | BPF.JA and plain and here + step.k < count:
        return f"ja l{here + step.k}"
    text = _JUMP_TEXTS.get(step.code)
    inside = here + max(step.jt, step.jf) < count
    if text and inside and ("@" in text or not step.k):
        jumps = f"l{here + step.jt}, l{here + step.jf}"
        return f"{text.replace('@', k)}, {jumps}"
    return f"raw {step.code:#x} {step.jt} {step.jf} {k}"
