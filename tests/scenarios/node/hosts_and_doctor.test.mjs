// ncctl hosts and ncctl doctor against real daemons whose link is the loopback interface.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, runDir } from './programs.mjs';
import { startServer } from './server.mjs';

/// A group and port that no other test of this machine uses at the same time.
const port = 30000 + (process.pid % 2000);
const link = { connecttonet: true, addr: '239.255.44.61', port, netinterface: 'lo', heartbeat: 100 };

function ctl(server, ...args) {
  return run('ncctl', ['--dir', runDir(server), ...args]);
}

async function asked(server, ...args) {
  const ended = await ctl(server, '--json', ...args);
  return { ...ended, data: JSON.parse(ended.out) };
}

/// Asks until `holds`; the time a test may take is the deadline.
async function askedUntil(holds, server, ...args) {
  for (;;) {
    const { data } = await asked(server, ...args);
    if (holds(data)) return data;
  }
}

test('hosts: this host first, then those that are heard', async (t) => {
  const alpha = await startServer(t, { A: {} }, { ...link, name: 'alpha' });
  const [self, ...nobody] = (await asked(alpha, 'hosts')).data;
  assert.equal(self.self, true);
  assert.equal(self.name, 'alpha');
  assert.equal(self.version, '2.0.0');
  assert.ok(self.cpus >= 1);
  assert.ok(self.memory.total > self.memory.available);
  assert.ok(self.rss > 0);
  assert.deepEqual(nobody, []);

  await startServer(t, { A: {} }, { ...link, name: 'beta' });
  const [, beta] = await askedUntil((hosts) => hosts[1]?.hearsus, alpha, 'hosts');
  assert.equal(beta.name, 'beta');
  assert.equal(beta.online, true);
  assert.notEqual(beta.id, self.id);
  const text = await ctl(alpha, 'hosts');
  assert.equal(text.status, 0);
  assert.match(text.out, /^NAME +STATE +ADDRESS/);
  assert.match(text.out, /^alpha +this host/m);
  assert.match(text.out, /^beta +online/m);
});

test('hosts and doctor of a daemon whose link is off', async (t) => {
  const server = await startServer(t, { A: {} });
  assert.deepEqual((await asked(server, 'hosts')).data, []);
  assert.match((await ctl(server, 'hosts')).out, /link is off/);
  const { status, data } = await asked(server, 'doctor');
  assert.equal(status, 0);
  assert.deepEqual(data.findings.map(({ severity }) => severity), ['note']);
  assert.match(data.findings[0].what, /connecttonet/);
});

test('doctor: facts of the loopback, and what is said of them', async (t) => {
  const server = await startServer(t, { A: {} }, link);
  const { status, data } = await asked(server, 'doctor', '--wait', '0.2');
  const lo = data.facts.interfaces.find(({ name }) => name === 'lo');
  for (const key of ['up', 'running', 'loopback', 'chosen', 'joined', 'member', 'route']) {
    assert.equal(lo[key], true, key);
  }
  assert.ok(lo.addresses.includes('127.0.0.1'));
  assert.ok(lo.mtu > 0);
  assert.equal(data.facts.config.port, port);
  assert.ok(data.facts.buffers.receive.granted > 0);
  const said = data.findings.map(({ severity, what }) => `${severity}: ${what}`);
  assert.ok(said.some((line) => line.startsWith('note: lo is the loopback')), said.join('\n'));
  assert.ok(said.includes('warning: no other host has been heard'), said.join('\n'));
  assert.equal(status, 1);

  const text = await ctl(server, 'doctor', '-W', '0.2');
  assert.equal(text.status, 1);
  assert.equal(text.err, '');
  assert.match(text.out, new RegExp(`udp dport ${port} accept`));
  assert.equal((await ctl(server, 'doctor', '--wait', '61')).status, 2);
});

test('doctor: an interface that is not there', async (t) => {
  const server = await startServer(t, { A: {} }, { ...link, netinterface: 'nowhere0' });
  const { status, data } = await asked(server, 'doctor');
  assert.equal(status, 1);
  const problem = data.findings.find(({ severity }) => severity === 'problem');
  assert.match(problem.what, /nowhere0/);
  assert.deepEqual(problem.commands, ['ip -brief address', 'ncctl reloadconfig']);
});

test('doctor: a peer that does not resolve', async (t) => {
  const peers = ['no-such-host.invalid:4454'];
  const server = await startServer(t, { A: {} }, { ...link, addr: '', peers });
  const { data } = await asked(server, 'doctor');
  const problem = data.findings.find(({ severity }) => severity === 'problem');
  assert.match(problem.what, /no-such-host\.invalid:4454 is not found/);
});

test('doctor: a peer of the other kind of address', async (t) => {
  const options = { ...link, addr: '', netinterface: '127.0.0.1', peers: [`[::1]:${port}`] };
  const server = await startServer(t, { A: {} }, options);
  const { data } = await asked(server, 'doctor');
  const problem = data.findings.find(({ severity }) => severity === 'problem');
  assert.match(problem.what, /nothing is sent to the peer \[::1\]/);
});

test('doctor: several at a time are answered, each with its own id', async (t) => {
  const server = await startServer(t, { A: {} }, link);
  const answers = await Promise.all([1, 2, 3].map(() => asked(server, 'doctor', '-W', '0.3')));
  for (const { data } of answers) assert.equal(data.facts.config.port, port);
});

test('a reload that switches the link off empties the list', async (t) => {
  const server = await startServer(t, { A: {} }, link);
  const file = join(server.scratch, 'off.json');
  writeFileSync(file, JSON.stringify({ ...server.config, connecttonet: false }));
  assert.equal((await ctl(server, 'reloadconfig', file)).status, 0);
  assert.deepEqual((await asked(server, 'hosts')).data, []);
});
