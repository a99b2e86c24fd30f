"""What can go wrong with embedded servers, said so that a person knows what to do."""

from __future__ import annotations

from pathlib import Path


class EmbeddedError(Exception):
    """A server cannot start or stop; the text is whole sentences: what happened and what to do."""


class HomeInUse(EmbeddedError):
    """Another desk lives in this home. `pid` is its process, None when it could not be read."""

    def __init__(self, home: Path, pid: int | None) -> None:
        holder = f"process {pid}" if pid else "another process"
        super().__init__(
            f"{home} is in use by {holder}: stop that desk first, or choose another home."
        )
        self.home = home
        self.pid = pid


# Words servers print when they give up, and what helps. The first match is the answer.
_ADVICE = (
    ("No space left on device", "The disk is full: free some space and start again."),
    ("Disk quota exceeded", "The disk quota is used up: free some space and start again."),
    ("Read-only file system", "The file system is read-only: choose another home."),
    (
        "wrong ownership",
        "The data belongs to another user: start as that user, or change the owner of the home.",
    ),
    ("user does not exist", "This user has no line in /etc/passwd: start as one that has."),
    (
        "Permission denied",
        "This user may not use the files: check the owner and mode of the home and its parents.",
    ),
    (
        "database files are incompatible",
        "The data was made by another version: start anew, or use the binaries of that version.",
    ),
    ("Cannot allocate memory", "There is not enough memory: stop other programs and start again."),
    (
        "error while loading shared libraries",
        "A system library is missing: install it, or set PAYDESK_POSTGRES_BIN to other binaries.",
    ),
)


def explain(name: str, output: str, log_path: Path | None = None) -> EmbeddedError:
    """Turns the last words of the server `name` into an error with advice."""
    lines = [line for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "PANIC" in line or "rror" in line]
    said = (telling or lines or ["it said nothing"])[-1].strip()
    advice = next((advice for words, advice in _ADVICE if words in output), None)
    parts = [
        f"{name} did not start: {said.rstrip('.')}.",
        advice,
        log_path and f"The log is {log_path}.",
    ]
    return EmbeddedError(" ".join(str(part) for part in parts if part))
