"""What is measured on one host: daemons, and how each is started."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

from .processes import Client, Failed


class Daemon:
    """A bus in a temporary directory of its own, for as long as a `with` lasts."""

    name = ""
    program = ""  # what must be found on the PATH or beside our programs
    version = ()  # arguments that make it say its version
    host = ()  # the words before a command that make it run on another host

    def __init__(self, programs):
        self.programs = programs  # the directory of what we built
        self.dir = self.process = None

    @classmethod
    def described(cls, programs):
        """The version, in its own words; for our own helpers, nothing."""
        if not cls.version:
            return ""
        said = subprocess.run([cls.found(programs), *cls.version], capture_output=True, text=True,
                              timeout=10, check=False)
        return (said.stdout + said.stderr).splitlines()[0]

    def path(self, name):
        return os.path.join(self.programs, name)

    def inside(self, name):
        return os.path.join(self.dir, name)

    @classmethod
    def found(cls, programs):
        return shutil.which(cls.program, path=f"{programs}:{os.environ['PATH']}:/usr/sbin")

    @classmethod
    def absent(cls, programs):
        """Why it cannot be measured here, or nothing."""
        return "" if cls.found(programs) else f"{cls.program} is not installed"

    def prepare(self):
        """Writes its configuration."""

    def command(self):
        raise NotImplementedError

    def endpoint(self):
        """A Unix socket, or a port on the loopback interface, that answers when it is ready."""
        return self.inside("socket")

    def address(self):
        """What its clients are told."""
        return self.endpoint()

    def __enter__(self):
        # Short, because socket paths have 107 bytes.
        self.dir = tempfile.mkdtemp(prefix="ncbench-")
        try:
            self.prepare()
            with open(self.inside("log"), "w") as log:
                # Should we be killed, the daemon goes too.
                self.process = subprocess.Popen(
                    [*self.host, "setpriv", "--pdeathsig", "KILL", self.found(self.programs),
                     *self.command()], cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log,
                    stderr=log)
            self._await()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _await(self):
        deadline = time.monotonic() + 10
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"{self.name} did not start: {self.log()}")
            time.sleep(0.01)

    def log(self):
        """The end of what it said."""
        with open(self.inside("log"), errors="replace") as log:
            return log.read()[-500:]

    def _answers(self):
        endpoint = self.endpoint()
        family = socket.AF_UNIX if isinstance(endpoint, str) else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(endpoint)
                return True
            except OSError:
                return False

    def client(self, program, role, **options):
        words = [f"{key}={value}" for key, value in options.items()]
        return Client([self.path(program), self.address(), role, *words])


class Netcluster(Daemon):
    name, program, version = "netcluster", "ncserver", ("--version",)
    CHANNELS = 64

    def prepare(self):
        """The defaults, but for what the work needs: no link, channels, many clients."""
        channels = {f"bench{number}": {} for number in range(self.CHANNELS)}
        with open(self.inside("config.json"), "w") as file:
            json.dump({"connecttonet": False, "maxclients": 20000,
                       "channels": {"control": {}, **channels}}, file)

    def command(self):
        return [self.inside("config.json"), "--rundir", self.address()]

    def endpoint(self):
        return self.inside("run/bench0.sock")

    def address(self):
        return self.inside("run")


class Relay(Daemon):
    name, program = "raw", "bench_relay"

    def command(self):
        return [self.endpoint()]


class Redis(Daemon):
    """Without persistence, and without the limit at which it would throw a subscriber out."""

    name, program, version = "redis", "redis-server", ("--version",)

    def command(self):
        return ["--port", "0", "--unixsocket", self.endpoint(), "--save", "", "--appendonly", "no",
                "--dir", self.dir, "--maxclients", "20000",
                "--client-output-buffer-limit", "pubsub 0 0 0"]


class Nats(Daemon):
    """Over TCP, for it has no Unix sockets; buffers for slow consumers instead of leaving them."""

    name, program, version = "nats", "nats-server", ("--version",)

    def prepare(self):
        with socket.socket() as probe:  # a port that is free now
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        with open(self.inside("nats.conf"), "w") as file:
            file.write(f'host: 127.0.0.1\nport: {self.port}\nmax_pending: 8GB\n'
                       'max_connections: 20000\nwrite_deadline: "60s"\n')

    def command(self):
        return ["-c", self.inside("nats.conf")]

    def endpoint(self):
        return "127.0.0.1", self.port

    def address(self):
        return f"nats://127.0.0.1:{self.port}"


class Mosquitto(Daemon):
    """QoS 0, with queues that have no limit."""

    name, program, version = "mosquitto", "mosquitto", ("-h",)

    def prepare(self):
        with open(self.inside("mosquitto.conf"), "w") as file:
            file.write(f"listener 0 {self.endpoint()}\nallow_anonymous true\n"
                       "max_queued_messages 0\nmax_queued_bytes 0\npersistence false\n"
                       "set_tcp_nodelay true\nlog_type error\nuser root\n")

    def command(self):
        return ["-c", self.inside("mosquitto.conf")]


class Zmq(Daemon):
    name, program = "zmq", "bench_zmq_forwarder"

    def command(self):
        return [self.dir]

    def endpoint(self):
        return self.inside("out")

    def address(self):
        return self.dir


class Dbus(Daemon):
    """A bus of its own with raised limits."""

    name, program, version = "dbus", "dbus-daemon", ("--version",)
    LIMITS = {"max_incoming_bytes": 10**9, "max_outgoing_bytes": 10**9, "max_message_size": 10**9,
              "max_completed_connections": 10**5, "max_incomplete_connections": 10**4,
              "max_connections_per_user": 10**5, "max_match_rules_per_connection": 50000}

    def prepare(self):
        limits = "".join(f'<limit name="{name}">{value}</limit>'
                         for name, value in self.LIMITS.items())
        allowed = "".join(f'<allow {what}="*"/>'
                          for what in ("send_destination", "receive_sender", "own"))
        with open(self.inside("dbus.conf"), "w") as file:
            file.write(f"<busconfig><type>session</type><listen>unix:path={self.endpoint()}"
                       f"</listen><auth>EXTERNAL</auth><policy context='default'>{allowed}"
                       f"</policy>{limits}</busconfig>")

    def command(self):
        return [f"--config-file={self.inside('dbus.conf')}", "--nofork", "--nopidfile",
                "--nosyslog"]
