"""Two hosts on one machine: network namespaces without names, joined by a veth pair. Each lives as
long as a process that waits for us to end, so nothing is left behind, however we end."""

import contextlib
import functools
import json
import os
import shutil
import subprocess
import time

from .processes import Failed

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


class Host:
    """A namespace with the interface eth0, once it is cabled."""

    def __init__(self, name, address):
        self.name, self.address = name, address
        # The line says that the namespace is there; the end of our pipe ends it.
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo && exec cat"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE)
        # What comes before the words of a command, for it to run there.
        self.inside = ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net"]

    def __enter__(self):
        try:
            if not self.holder.stdout.readline():
                raise Failed(f"no network namespace: {self.holder.stderr.read().decode()}")
            self.run("ip link set lo up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.holder.stdin.close()
        self.holder.wait()
        for pipe in (self.holder.stdout, self.holder.stderr):
            pipe.close()

    def run(self, line, text=""):
        """Returns what the command says."""
        done = subprocess.run([*self.inside, *line.split()], input=text, capture_output=True,
                              text=True, timeout=20, check=False, env={**os.environ, "PATH": PATH})
        if done.returncode != 0:
            raise Failed(f"{line}: {(done.stderr.splitlines() or ['no message'])[0]}")
        return done.stdout

    def join(self):
        """Once the interface is there."""
        self.run(f"ip addr add {self.address}/24 dev eth0")
        self.run("ip link set eth0 up")
        self.run("ip route add 224.0.0.0/4 dev eth0")

    def drop(self, percent):
        """So much of the UDP that comes here is lost, at random. 0: nothing."""
        rule = f"meta l4proto udp numgen random mod 100 < {percent} drop" if percent else ""
        self._filter("losing", f"chain datagrams {{ type filter hook input priority 0; {rule}\n }}")

    def count(self):
        """From here on: the UDP that is sent from here."""
        self._filter("counting", "chain datagrams { type filter hook output priority 0; "
                              "meta l4proto udp counter\n }")

    def counted(self):
        """Datagrams since count()."""
        listed = json.loads(self.run("nft -j list table inet counting"))["nftables"]
        return next(part["counter"]["packets"] for item in listed if "rule" in item
                    for part in item["rule"]["expr"] if "counter" in part)

    def _filter(self, table, chain):
        self.run("nft -f -", f"table inet {table}\ndelete table inet {table}\n"
                             f"table inet {table} {{\n{chain}\n}}\n")


class Hosts:
    """a publishes, b subscribes."""

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.a = stack.enter_context(Host("a", "10.213.77.1"))
            self.b = stack.enter_context(Host("b", "10.213.77.2"))
            self.both = (self.a, self.b)
            self.a.run(f"ip link add eth0 type veth peer name eth0 netns {self.b.holder.pid}")
            for host in self.both:
                host.join()
            self.held = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.held.close()

    def datagrams_per_second(self, seconds):
        """Of the host that sends more."""
        for host in self.both:
            host.count()
        time.sleep(seconds)
        return max(host.counted() for host in self.both) / seconds


@functools.cache
def why_none():
    """Why there can be no hosts here, or nothing."""
    if os.geteuid() != 0:
        return "only root can make network namespaces"
    for program in ("unshare", "nsenter", "ip", "nft"):
        if not shutil.which(program, path=PATH):
            return f"{program} is not installed"
    try:
        with Hosts() as hosts:
            hosts.b.drop(1)
    except Failed as failure:
        return str(failure)
    return ""
