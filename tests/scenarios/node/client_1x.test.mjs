// An unmodified netcluster 1.x client works: design.md section 1.
import assert from 'node:assert/strict';
import { existsSync, accessSync, constants } from 'node:fs';
import net from 'node:net';
import { test } from 'node:test';
import { BufferedClient, OldClient, connectAll, startServer, within } from './server.mjs';

const twoChannels = {
  A: { propagatetochannels: '.*', propagatetonet: true, dumptoconsole: false },
  B: { propagatetochannels: false, propagatetonet: false, dumptoconsole: false },
};
const packet = '{"event":"log","data":{"x":1},"channel":"A","broadcast":false}\0';

test('the packet of the documentation reaches every other client of the channel, parsed as ever', async (t) => {
  const server = await startServer(t, twoChannels);
  const [emitter, onA, onB] = await connectAll(t, server, OldClient, 'A', 'A', 'B');
  emitter.socket.write(packet);
  for (const listener of [onA, onB]) {
    const heard = await listener.next();
    assert.equal(heard.event, 'log');
    assert.deepEqual(heard.data, { x: 1 });
    assert.equal(heard.channel, 'A');
    assert.equal(heard.broadcast, false);
    assert.match(heard.emmiteruuid, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  }
  // It does not come back to who sent it: the first thing that one hears is another's event.
  onA.emit('other');
  assert.equal((await emitter.next()).event, 'other');
});

test('what the 1.x agent writes: emmiteruuid undefined, any data', async (t) => {
  const server = await startServer(t, twoChannels);
  const [emitter, listener] = await connectAll(t, server, OldClient, 'A', 'A');
  const values = [null, true, 0, -1.5, 'text', '', [], {}, [1, [2, { a: null }]], { a: { b: 'c' } }, undefined];
  for (const value of values) {
    emitter.emit('data', value);
    const heard = await listener.next();
    assert.deepEqual(heard.data, value === undefined ? null : value);
  }
});

test('a broadcast reaches the other channel although its rule forbids', async (t) => {
  const server = await startServer(t, twoChannels);
  const [emitter, onA, control] = await connectAll(t, server, OldClient, 'B', 'A', 'control');
  emitter.emit('stays', 1);
  emitter.emit('goes', 2, true);
  const heard = await onA.next();
  assert.equal(heard.event, 'goes');
  assert.equal(heard.broadcast, true);
  assert.equal(heard.channel, 'B');
  control.emit('nc-control-showchannel', 'A');
  assert.equal((await control.next()).event, 'nc-control-showchannel-response');
});

test('packets cut anywhere arrive whole', async (t) => {
  const server = await startServer(t, twoChannels);
  const [listener] = await connectAll(t, server, OldClient, 'A');
  const text = Buffer.from('{"event":"ünï","data":{"x":"日本 😀"},"channel":"A","broadcast":false}\0');
  for (let cut = 1; cut < text.length; ++cut) {
    const [emitter] = await connectAll(t, server, OldClient, 'A');
    emitter.socket.setNoDelay?.(true);
    await new Promise((resolve) => emitter.socket.write(text.subarray(0, cut), resolve));
    emitter.socket.write(text.subarray(cut));
    const heard = await listener.next();
    assert.equal(heard.event, 'ünï', `cut at ${cut}`);
    assert.deepEqual(heard.data, { x: '日本 😀' });
    emitter.close();
  }
});

test('a packet written byte by byte arrives whole', async (t) => {
  const server = await startServer(t, twoChannels);
  const [emitter, listener] = await connectAll(t, server, OldClient, 'A', 'A');
  for (const byte of Buffer.from(packet)) {
    await new Promise((resolve) => emitter.socket.write(Buffer.of(byte), resolve));
  }
  assert.deepEqual((await listener.next()).data, { x: 1 });
});

test('two packets in one write are two events, in order', async (t) => {
  const server = await startServer(t, twoChannels);
  const [emitter, listener] = await connectAll(t, server, OldClient, 'A', 'A');
  emitter.socket.write(packet + packet.replace('log', 'log2'));
  assert.equal((await listener.next()).event, 'log');
  assert.equal((await listener.next()).event, 'log2');
  emitter.socket.write('\n' + packet + '\0\0\n' + packet.replace('log', 'log3'));
  assert.equal((await listener.next()).event, 'log');
  assert.equal((await listener.next()).event, 'log3');
});

test('1 MiB of data, and 4 MiB less its quotes', async (t) => {
  const server = await startServer(t, twoChannels);
  const [emitter, onA, onB] = await connectAll(t, server, BufferedClient, 'A', 'A', 'B');
  for (const size of [1 << 20, (4 << 20) - 2]) {
    const big = 'x'.repeat(size);
    emitter.emit('big', big);
    for (const listener of [onA, onB]) {
      const heard = await listener.next();
      assert.equal(heard.event, 'big');
      assert.ok(heard.data === big, `${size} bytes are the same`);
    }
  }
  emitter.emit('after', 1);
  assert.equal((await onA.next()).event, 'after');
});

test('more than 4 MiB of data: that client is told why and disconnected, nobody else notices', async (t) => {
  const server = await startServer(t, twoChannels);
  const [emitter, good, listener] = await connectAll(t, server, BufferedClient, 'A', 'A', 'A');
  emitter.emit('too big', 'x'.repeat(5 << 20));
  const last = await emitter.next();
  if (last !== undefined) assert.equal(last.event, 'nc-error');
  await within(new Promise((resolve) => (emitter.ended ? resolve() : emitter.socket.once('close', resolve))), 'the end');
  good.emit('after', 1);
  assert.equal((await listener.next()).event, 'after');
  assert.match(server.log, /disconnected: sent .* more than/);
});

test('UTF-8 arrives as it was: in the name, in the data, in keys', async (t) => {
  const server = await startServer(t, twoChannels);
  const [emitter, listener] = await connectAll(t, server, OldClient, 'A', 'A');
  const data = { 'ключ': 'значение', emoji: '👩‍🚀', escapes: 'tab\t"quoted"\\ \u0001 \u2028', nul: 'a\u0000b' };
  emitter.emit('größe/日本', data);
  const heard = await listener.next();
  assert.equal(heard.event, 'größe/日本');
  assert.deepEqual(heard.data, data);
});

test('10,000 events at full speed: all of them, in order', async (t) => {
  const server = await startServer(t, twoChannels);
  const [emitter, onA, onB] = await connectAll(t, server, BufferedClient, 'A', 'A', 'B');
  for (let n = 0; n < 10000; ++n) emitter.emit('n', n);
  for (const listener of [onA, onB]) {
    for (let n = 0; n < 10000; ++n) {
      const heard = await listener.next();
      if (heard.data !== n) assert.fail(`expected ${n}, heard ${JSON.stringify(heard)}`);
    }
  }
});

test('a client that never reads holds nobody up for long, and learns what it missed', async (t) => {
  const server = await startServer(t, twoChannels, { clientqueue: '1MiB', stalltimeout: 1000 });
  const [emitter, listener, never] = await connectAll(t, server, BufferedClient, 'A', 'A', 'A');
  never.socket.pause();
  const count = 8000;
  const filler = 'x'.repeat(1000);
  for (let n = 1; n <= count; ++n) emitter.emit('n', [n, filler]);
  for (let n = 1; n <= count; ++n) assert.equal((await listener.next()).data[0], n);
  await server.logSays('slow consumer');

  never.socket.resume();
  let expected = 1;
  let gaps = 0;
  while (expected <= count) {
    const heard = await never.next();
    assert.ok(heard, 'it is still connected');
    if (heard.event === 'nc-gap') {
      assert.equal(heard.data.first, expected);
      assert.equal(heard.data.count, heard.data.last - heard.data.first + 1);
      expected = heard.data.last + 1;
      ++gaps;
    } else {
      assert.equal(heard.data[0], expected++);
    }
  }
  assert.ok(gaps > 0);
  emitter.emit('n', [count + 1]);
  assert.equal((await never.next()).data[0], count + 1);
});

for (const [what, garbage] of [
  ['words', 'hello, is this netcluster?\0'],
  ['half of JSON', '{"event":"log","data":{\0'],
  ['JSON that is no packet', '[1,2,3]\0'],
  ['a packet without a name', '{"data":1}\0'],
  ['bytes', Buffer.from([0xff, 0xfe, 0x00, 0x80])],
  ['HTTP', 'GET / HTTP/1.1\r\n\r\n'],
]) {
  test(`a client that sends garbage (${what}) is disconnected with a logged reason; others notice nothing`, async (t) => {
    const server = await startServer(t, twoChannels);
    const [bad, emitter, onA, onB] = await connectAll(t, server, OldClient, 'A', 'A', 'A', 'B');
    const ended = new Promise((resolve) => bad.socket.once('close', resolve));
    bad.socket.write(garbage);
    await within(ended, 'the bad client is disconnected');
    await server.logSays('disconnected: sent ');
    assert.match(server.log, new RegExp(`A/[0-9a-f-]{36} \\(pid ${process.pid}\\): disconnected: `));
    emitter.emit('good', 1);
    assert.equal((await onA.next()).event, 'good');
    assert.equal((await onB.next()).event, 'good');
  });
}

test('a client that goes in the middle of a packet is no trouble', async (t) => {
  const server = await startServer(t, twoChannels);
  const [bad, emitter, listener] = await connectAll(t, server, OldClient, 'A', 'A', 'A');
  await new Promise((resolve) => bad.socket.write('{"event":"lo', resolve));
  bad.close();
  emitter.emit('good', 1);
  assert.equal((await listener.next()).event, 'good');
});

test('a client that writes and ends at once is heard', async (t) => {
  const server = await startServer(t, twoChannels);
  const [listener] = await connectAll(t, server, OldClient, 'A');
  for (let n = 0; n < 20; ++n) {
    net.createConnection(server.socket('A')).end(packet.replace('1', n));
    assert.deepEqual((await listener.next()).data, { x: n });
  }
});

test('the 1.x path /run/netcluster-<channel> leads to the channel', async (t) => {
  try {
    accessSync('/run', constants.W_OK);
  } catch {
    return t.skip('/run may not be written here, so the daemon makes no 1.x path');
  }
  const channel = `node-${process.pid}`;
  const legacy = `/run/netcluster-${channel}`;
  const server = await startServer(t, { [channel]: {} });
  assert.ok(existsSync(legacy));
  const clients = [new OldClient(legacy, channel), new OldClient(legacy, channel)];
  t.after(() => clients.forEach((client) => client.close()));
  await Promise.all(clients.map((client) => client.connected()));
  clients[0].emit('log', { x: 1 });
  assert.deepEqual((await clients[1].next()).data, { x: 1 });
  assert.ok(server.log.includes('ready'));
});

test('a client that forgets the NUL and leaves is told, and logged', async (t) => {
  const server = await startServer(t, { A: {} });
  const [client] = await connectAll(t, server, OldClient, 'A');
  client.socket.end('{"event":"oops","data":1}\n');
  const packet = await client.next();
  assert.equal(packet.event, 'nc-error');
  assert.match(packet.data.error, /packets end with NUL/);
  await server.logSays('left in the middle of a packet');
});
