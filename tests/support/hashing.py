"""A password hasher for tests: instant, or as slow as the test says, and counted."""

from __future__ import annotations

import threading


class HeldHasher:
    """Stands in for Argon2id. While `held`, every hash waits; it counts how many wait at once."""

    def __init__(self) -> None:
        self._free = threading.Event()
        self._free.set()
        self._lock = threading.Lock()
        self.running = 0
        self.running_max = 0
        self.done: list[str] = []
        self.started = threading.Semaphore(0)

    def hold(self) -> None:
        self._free.clear()

    def release(self) -> None:
        self._free.set()

    def hash(self, password: str) -> str:
        self._work(password)
        return f"hash of {password}"

    def verify(self, hash: str, password: str) -> bool:
        self._work(password)
        return hash == f"hash of {password}"

    def check_needs_rehash(self, hash: str) -> bool:
        return False

    def _work(self, password: str) -> None:
        with self._lock:
            self.running += 1
            self.running_max = max(self.running_max, self.running)
        self.started.release()
        assert self._free.wait(timeout=20), "the test forgot to release the hasher"
        with self._lock:
            self.running -= 1
            self.done.append(password)
