"""What is measured between two hosts: how events get from the one to the other, each in network
namespaces of its own for as long as a `with` lasts."""

import base64
import contextlib
import json
import os
import pathlib
import secrets
import subprocess
import tempfile
import time

from .hosts import Hosts, why_none
from .peers import Netcluster
from .processes import Client, Failed


class Multicast:
    """Clients that speak to the group themselves."""

    GROUP = "239.255.44.55:4455"
    name = "multicast"
    daemons = ()

    def __init__(self, programs):
        self.programs = programs
        self.hosts = Hosts()

    @classmethod
    def described(cls, _):
        return ""

    @classmethod
    def absent(cls, _):
        """Why it cannot be measured here, or nothing."""
        return why_none()

    def __enter__(self):
        self.hosts.__enter__()
        return self

    def __exit__(self, *_):
        self.hosts.__exit__()

    def publisher(self, program, role, **options):
        return self._client(self.hosts.a, program, role, options)

    def subscriber(self, program, role, **options):
        return self._client(self.hosts.b, program, role, options)

    def _client(self, host, program, role, options):
        words = [f"{key}={value}" for key, value in options.items()]
        return Client([os.path.join(self.programs, program), self.GROUP, role, *words],
                      host.inside)


class HostDaemon(Netcluster):
    """The daemon of a host: the defaults, with one channel that goes to the net."""

    def __init__(self, programs, host, key=""):
        super().__init__(programs)
        self.name, self.key, self.host = host.name, key, host.inside

    def prepare(self):
        settings = {"name": self.name, "netinterface": "eth0",
                    "channels": {"control": {}, "bench0": {"propagatetonet": True}}}
        if self.key:
            settings["netkeyfile"] = self.inside("keys.json")
            write_key(settings["netkeyfile"], self.key)
        with open(self.inside("config.json"), "w") as file:
            json.dump(settings, file)

    def await_peer(self, name):
        deadline = time.monotonic() + 10
        while f"host {name} is online" not in pathlib.Path(self.inside("log")).read_text():
            if time.monotonic() > deadline:
                raise Failed(f"{self.name} does not hear {name}: {self.log()}")
            time.sleep(0.01)


def new_key():
    return base64.b64encode(secrets.token_bytes(32)).decode()


def write_key(path, key):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        json.dump([{"id": 1, "key": key, "use": "tx"}], file)


class NetclusterLink(Multicast):
    """A daemon on each host; the clients know only the one of theirs."""

    name = "netcluster"
    encrypted = False

    @classmethod
    def described(cls, programs):
        return Netcluster.described(programs)

    @classmethod
    def absent(cls, programs):
        if not Netcluster.found(programs):
            return f"{Netcluster.program} was not built"
        return why_none()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.hosts)
            key = new_key() if self.encrypted else ""
            self.daemons = [stack.enter_context(HostDaemon(self.programs, host, key))
                            for host in self.hosts.both]
            a, b = self.daemons
            a.await_peer("b")
            b.await_peer("a")
            self.held = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.held.close()

    def publisher(self, program, role, **options):
        return self.daemons[0].client(program, role, **options)

    def subscriber(self, program, role, **options):
        return self.daemons[1].client(program, role, **options)


class EncryptedLink(NetclusterLink):
    encrypted = True

    @classmethod
    def absent(cls, programs):
        return super().absent(programs) or cls._refused(programs)

    @classmethod
    def _refused(cls, programs):
        with tempfile.TemporaryDirectory() as directory:
            key, config = (os.path.join(directory, name) for name in ("keys.json", "config.json"))
            write_key(key, new_key())
            pathlib.Path(config).write_text(
                json.dumps({"netkeyfile": key, "channels": {"control": {}}}))
            checked = subprocess.run([Netcluster.found(programs), "--test-config", config],
                                     capture_output=True, text=True, timeout=10, check=False)
            said = (checked.stdout + checked.stderr).replace(f"{directory}/", "").strip()
        return f"the daemon refuses netkeyfile: {said[-200:]}" if checked.returncode else ""
