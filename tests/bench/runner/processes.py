"""Client programs, what processes cost, and how quiet the machine was meanwhile."""

import os
import resource
import select
import subprocess
import tempfile
import time

TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A measurement that came to nothing; the text says why."""


def numbers(line):
    """'a=1 b=2.5' as a dictionary."""
    return {key: float(value) if "." in value else int(value)
            for key, value in (word.split("=", 1) for word in line.split())}


def raise_descriptor_limit(wanted=65536):
    """For ten thousand clients. Inherited by all we start."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limits in ((wanted, max(wanted, hard)), (hard, hard)):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            return
        except (ValueError, PermissionError):
            continue  # only root may go beyond the hard limit


class Client:
    """A client program in one of its roles: says READY, is told lines, prints key=value results.
    Its end: standard input closes."""

    def __init__(self, command, host=()):
        """`host`: the words that make a command run on another one."""
        self.command = command
        self.errors = tempfile.TemporaryFile()
        self.child = subprocess.Popen([*host, *command], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=self.errors)
        self.unread = b""
        self.cpu_before = 0.0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def line(self, timeout):
        deadline = time.monotonic() + timeout
        output = self.child.stdout.fileno()
        while b"\n" not in self.unread:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([output], [], [], left)[0]:
                raise Failed(f"no answer within {timeout} s: {self}")
            some = os.read(output, 65536)
            if not some:
                raise Failed(f"ended early: {self}")
            self.unread += some
        line, self.unread = self.unread.split(b"\n", 1)
        return line.decode()

    def ready(self, timeout=120):
        line = self.line(timeout)
        if line != "READY":
            raise Failed(f"said {line!r} where READY belongs: {self}")
        return self

    def tell(self, line):
        try:
            self.child.stdin.write(f"{line}\n".encode())
            self.child.stdin.flush()
        except BrokenPipeError:
            raise Failed(f"ended early: {self}") from None

    def result(self, timeout):
        return numbers(self.line(timeout))

    def count_from_here(self):
        """What it has used until now was preparation."""
        self.cpu_before = cpu_seconds(self.child.pid)

    def end(self, timeout=10):
        """Returns the CPU seconds used since count_from_here()."""
        if self.child.returncode is None:
            try:
                self.child.stdin.close()
            except BrokenPipeError:
                pass
            deadline = time.monotonic() + timeout
            while True:
                pid, status, usage = os.wait4(self.child.pid, os.WNOHANG)
                if pid:
                    break
                if time.monotonic() > deadline:
                    self.child.kill()
                time.sleep(0.002)
            self.child.returncode = os.waitstatus_to_exitcode(status)
            self.child.stdout.close()
            self.cpu = usage.ru_utime + usage.ru_stime - self.cpu_before
        return self.cpu

    def __str__(self):
        self.errors.seek(0)
        said = self.errors.read().decode(errors="replace").strip()
        return f"{' '.join(self.command[:1] + self.command[2:])}: {said[-300:] or 'no message'}"


def cpu_seconds(pid):
    """Of a living process: the sum over its threads, to the nanosecond."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                total += int(file.read().split()[0])
        except FileNotFoundError:
            pass  # a thread that has ended since
    return total / 1e9


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


class Noise:
    """CPU time taken by processes that are not ours, and by other guests of the host."""

    LIMIT = 0.12  # of one core; a run with more than that is marked

    def __init__(self):
        self.began = time.monotonic()
        self.busy, self.stolen = self._read()
        self.own = time.process_time()

    @staticmethod
    def _read():
        with open("/proc/stat") as file:
            user, nice, system, _, _, _, _, steal = map(int, file.readline().split()[1:9])
        return (user + nice + system) / TICKS, steal / TICKS

    def share(self, ours):
        """As a share of one core, given the CPU seconds of the processes measured. Cores that they
        were kept away from are for others to use."""
        busy, stolen = self._read()
        wall = max(time.monotonic() - self.began, 0.05)
        ours += time.process_time() - self.own
        free = os.cpu_count() - len(os.sched_getaffinity(0))
        return max(0.0, (busy - self.busy - ours + stolen - self.stolen) / wall - free)
