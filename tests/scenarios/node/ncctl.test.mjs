// ncctl against the real daemon: every command, every exit status.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Program, run, runDir } from './programs.mjs';
import { OldClient, connectAll, startServer } from './server.mjs';

const channels = { A: { propagatetochannels: '.*' }, B: {} };

function ctl(server, ...args) {
  return run('ncctl', ['--dir', runDir(server), ...args]);
}

/// A listener that is heard to be listening: it gets a first event, which is then forgotten.
async function listening(t, server, ...args) {
  const listener = new Program('ncctl', ['--dir', runDir(server), 'listen', ...args]);
  t.after(() => listener.child.kill('SIGKILL'));
  for (;;) {
    const shown = JSON.parse((await ctl(server, '--json', 'showchannel', args[0])).out);
    const ours = shown.clients.find((client) => client.pid === listener.child.pid);
    if (!ours) continue;
    const details = JSON.parse((await ctl(server, '--json', 'showclient', args[0], ours.client)).out);
    if (details.patterns?.length) return listener;
  }
}

test('emit and listen: text, JSON, count, patterns', async (t) => {
  const server = await startServer(t, channels);
  const text = await listening(t, server, 'B', '-C', '2', 'log\\..*', 'x');
  const json = await listening(t, server, 'B', '--json', '-C', '2');
  assert.equal((await ctl(server, 'emit', 'A', 'log.a', '{"x": [1, 2]}')).status, 0);
  const piped = await run('ncctl', ['--dir', runDir(server), 'emit', 'A', 'x', '-'], { input: '"in"' });
  assert.equal(piped.status, 0);
  assert.equal(await text.status(), 0);
  assert.equal(text.out, 'log.a {"x":[1,2]}\nx "in"\n');
  assert.equal(await json.status(), 0);
  const events = json.out.trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(events.map(({ event, data, channel }) => ({ event, data, channel })), [
    { event: 'log.a', data: { x: [1, 2] }, channel: 'A' },
    { event: 'x', data: 'in', channel: 'A' },
  ]);
});

test('a broadcast reaches a channel that no rule leads to', async (t) => {
  const server = await startServer(t, { A: {}, B: {} });
  const [onB] = await connectAll(t, server, OldClient, 'B');
  assert.equal((await ctl(server, 'emit', 'A', 'not this')).status, 0);
  assert.equal((await ctl(server, 'emit', 'A', 'this', '1', '--broadcast')).status, 0);
  const heard = await onB.next();
  assert.equal(heard.event, 'this');
  assert.equal(heard.broadcast, true);
});

test('nodes and node: who is there, and who is not', async (t) => {
  const server = await startServer(t, channels);
  assert.deepEqual(await ctl(server, 'nodes'), { status: 0, out: 'no nodes\n', err: '' });
  const [web, db] = await connectAll(t, server, OldClient, 'A', 'B');
  for (const [client, node] of [[web, { id: 'web-1', regions: ['eu'] }], [db, { id: 'db' }]]) {
    client.emit('nc-node-register', node);
    assert.deepEqual((await client.next()).data, { id: node.id });
  }
  const all = await ctl(server, 'nodes');
  assert.equal(all.status, 0);
  assert.match(all.out, /^ID +HOST +REGIONS/);
  assert.match(all.out, /^db /m);
  assert.match(all.out, /^web-1 +\S+ +eu /m);
  const some = JSON.parse((await ctl(server, '--json', 'nodes', '!db')).out);
  assert.deepEqual(some.map(({ id }) => id), ['web-1']);
  const one = await ctl(server, 'node', 'web-1');
  assert.equal(one.status, 0);
  assert.match(one.out, /^regions +eu$/m);
  assert.equal(JSON.parse((await ctl(server, '--json', 'node', 'web-1')).out).id, 'web-1');
  assert.equal((await ctl(server, 'complete', 'node w')).out, 'web-1\n');
  assert.equal((await ctl(server, 'complete', 'nodes ')).out, 'db\neu\nweb-1\n');

  const none = await ctl(server, 'node', 'web1');
  assert.equal(none.status, 1);
  assert.equal(none.out, '');
  assert.match(none.err, /there is no node "web1"; did you mean "web-1"\?/);
  assert.equal((await ctl(server, 'nodes', 'a b')).status, 1);
  assert.equal((await ctl(server, 'node')).status, 2);
});

test('control characters of the bus never reach a terminal', async (t) => {
  const server = await startServer(t, channels);
  const listener = await listening(t, server, 'A', '-C', '1');
  const [onA] = await connectAll(t, server, OldClient, 'A');
  onA.emit('\u001b[31mred', '\u001b[2J');
  assert.equal(await listener.status(), 0);
  assert.ok(!listener.out.includes('\u001b'), listener.out);
});

test('the deadline of listen is status 124, with what came before it', async (t) => {
  const server = await startServer(t, channels);
  const ended = await ctl(server, 'listen', 'A', '-C', '1', '-W', '0.2');
  assert.equal(ended.status, 124);
  assert.equal(ended.out, '');
});

test('reloadconfig lists what changed; a bad file changes nothing and lists its problems', async (t) => {
  const server = await startServer(t, channels);
  const good = join(server.scratch, 'good.json');
  writeFileSync(good, JSON.stringify({ ...server.config,
    channels: { control: {}, A: { propagatetochannels: false }, C: {} } }));
  const done = await ctl(server, 'reloadconfig', good);
  assert.equal(done.status, 0);
  assert.match(done.out, /^~ \/channels\/A\/propagatetochannels: "\.\*" -> false$/m);
  assert.match(done.out, /^- \/channels\/B: /m);
  assert.match(done.out, /^\+ \/channels\/C: /m);

  const bad = join(server.scratch, 'bad.json');
  writeFileSync(bad, '{"port": 0,\n "chanels": {}}');
  const refused = await ctl(server, '--json', 'reloadconfig', bad);
  assert.equal(refused.status, 1);
  const answer = JSON.parse(refused.out);
  assert.equal(answer.problems.length, 3);
  assert.ok(answer.problems.some((line) => line.startsWith(`${bad}:1:10: /port: `)), refused.out);
  const shown = JSON.parse((await ctl(server, 'showconfig')).out);
  assert.deepEqual(Object.keys(shown.channels), ['A', 'C', 'control']);
});

test('what is wrong, and its exit status', async (t) => {
  const server = await startServer(t, channels);
  for (const [status, ...args] of [
    [1, 'showchannel', 'missing'], [1, 'showclient', 'A', 'nobody'],
    [2, 'showchannel'], [2, 'nonsense'], [2, 'emit', 'A', 'x', '{broken'],
    [2, 'emit', 'A', 'nc-x'], [2, 'listen', 'A', '('], [2, 'listen', 'A', '-C', 'many'],
    [0, 'help'], [0, 'help', 'emit'], [0, 'stats'], [0, '--version'], [0, '--help'],
  ]) {
    const ended = await ctl(server, ...args);
    assert.equal(ended.status, status, `${args.join(' ')}: ${ended.err}`);
    if (status !== 0) assert.match(ended.err, /^ncctl: /);
    else assert.equal(ended.err, '');
  }
  const nowhere = await run('ncctl', ['--dir', join(server.scratch, 'nothing'), '--timeout', '0.2', 'stats']);
  assert.equal(nowhere.status, 1);
  assert.match(nowhere.err, /nothing\/control\.sock/);
});

test('commands from standard input, in the 1.x form and the plain one', async (t) => {
  const server = await startServer(t, channels);
  const ended = await run('ncctl', ['--dir', runDir(server), '--json'],
    { input: 'showchannel("A")\nshowchannel missing\nstats\n' });
  assert.equal(ended.status, 1);
  const answers = ended.out.trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(answers.length, 3);
  assert.equal(answers[0].channel, 'A');
  assert.ok(answers[1].error);
  assert.equal(answers[2].version, '2.0.0');
});
