// The 1.x ncclient works on `control`: design.md section 12.
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { OldClient, connectAll, startServer } from './server.mjs';

const channels = { A: { propagatetochannels: '.*' }, B: {} };

async function ask(client, command, data) {
  client.emit(`nc-control-${command}`, data);
  const answer = await client.next();
  assert.equal(answer.event, `nc-control-${command}-response`);
  return answer.data;
}

test('showconfig with empty data, as 1.x sends it', async (t) => {
  const server = await startServer(t, channels);
  const [control] = await connectAll(t, server, OldClient, 'control');
  const shown = await ask(control, 'showconfig', '');
  assert.equal(shown.channels.A.propagatetochannels, '.*');
  assert.equal(shown.connecttonet, false);
});

test('showchannel and showclient', async (t) => {
  const server = await startServer(t, channels);
  const [control, onA] = await connectAll(t, server, OldClient, 'control', 'A');
  const channel = await ask(control, 'showchannel', 'A');
  assert.equal(channel.channel, 'A');
  assert.equal(channel.clients.length, 1);
  const { client } = channel.clients[0];
  const details = await ask(control, 'showclient', { channel: 'A', client });
  assert.equal(details.client, client);
  assert.equal(details.encoding, 'json');
  assert.equal(details.pid, process.pid);
  assert.ok((await ask(control, 'showchannel', 'missing')).error);
  assert.ok((await ask(control, 'showclient', { channel: 'A', client: 'nobody' })).error);
  assert.equal(onA.inbox.length, 0);
});

test('reloadconfig with a config object, as 1.x sends it', async (t) => {
  const server = await startServer(t, channels);
  const [control, onA, onB] = await connectAll(t, server, OldClient, 'control', 'A', 'B');
  const next = structuredClone(server.config);
  next.channels.A.propagatetochannels = false;
  next.channels.C = {};
  const answer = await ask(control, 'reloadconfig', next);
  assert.equal(answer.status, 'done');
  assert.ok(existsSync(server.socket('C')));
  const [onC] = await connectAll(t, server, OldClient, 'C');

  onA.emit('stays', 1); // the rule holds for clients that were connected before
  onA.emit('wide', 2, true);
  for (const listener of [onB, onC]) assert.equal((await listener.next()).event, 'wide');
});

test('reloadconfig with an object that is wrong changes nothing and says what is wrong', async (t) => {
  const server = await startServer(t, channels);
  const [control] = await connectAll(t, server, OldClient, 'control');
  const before = await ask(control, 'showconfig', '');
  const answer = await ask(control, 'reloadconfig', { channels: { A: { propagatetochannels: '(' } } });
  assert.ok(answer.error);
  assert.ok(answer.problems.some((problem) => problem.includes('/channels/A/propagatetochannels: ')));
  assert.deepEqual(await ask(control, 'showconfig', ''), before);
});

test('reloadconfig with a path', async (t) => {
  const server = await startServer(t, channels);
  const [control] = await connectAll(t, server, OldClient, 'control');
  writeFileSync(
    server.file,
    `// comments and trailing commas, as in 1.x\n{"connecttonet": false, "channels": {"control": {}, "A": {},},}\n`,
  );
  const answer = await ask(control, 'reloadconfig', server.file);
  assert.equal(answer.status, 'done');
  assert.equal(existsSync(server.socket('B')), false);
});

test('an answer goes only to who asked, and control is deaf to data channels', async (t) => {
  const server = await startServer(t, channels);
  const [one, other, onA, onA2] = await connectAll(t, server, OldClient, 'control', 'control', 'A', 'A');
  assert.ok((await ask(one, 'stats', '')).pid);
  onA.emit('nc-control-reloadconfig', { channels: { control: {} } });
  onA.emit('wide', 1, true);
  assert.equal((await onA2.next()).event, 'wide');
  assert.ok((await ask(other, 'showconfig', '')).channels.A); // the first thing it hears
  assert.equal(one.inbox.length, 0);
});
