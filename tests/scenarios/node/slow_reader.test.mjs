// A client that reads slowly but steadily makes progress: under "block" it slows its senders down and
// loses nothing, however little it takes at a time.
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { OldClient, connectAll, startServer, within } from './server.mjs';

test('slow and steady loses nothing', async (t) => {
  const count = 1200;
  const server = await startServer(t, { A: {} },
    { clientqueue: '256KiB', maxevent: '1MiB', stalltimeout: 400 });
  const slow = net.createConnection({ path: server.socket('A'), highWaterMark: 1 });
  slow.pause();
  t.after(() => slow.destroy());
  await within(new Promise((resolve) => slow.once('connect', resolve)), 'connect');
  const [sender] = await connectAll(t, server, OldClient, 'A');
  for (let n = 0; n < count; ++n) sender.emit('e', { n, padding: 'x'.repeat(1000) });

  // 16 KiB every 50 ms: within stalltimeout the kernel does not call the daemon's end writable.
  let text = '';
  await within(new Promise((resolve) => {
    const reader = setInterval(() => {
      const chunk = slow.read(Math.min(16384, slow.readableLength));
      if (chunk) text += chunk;
      if (!text.includes(`"n":${count - 1},`)) return;
      clearInterval(reader);
      resolve();
    }, 50);
    t.after(() => clearInterval(reader));
  }), 'all events');
  const packets = text.split('\0').filter((piece) => piece.endsWith('}')).map((piece) => JSON.parse(piece));
  assert.deepEqual(packets.filter((packet) => packet.event === 'nc-gap'), []);
  assert.deepEqual(packets.map((packet) => packet.data.n), [...Array(count).keys()].slice(0, packets.length));
  assert.ok(packets.length >= count - 1);
  assert.ok(!server.log.includes('took nothing'), server.log);
});
