// The examples of docs/examples do what they say.
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Program, run, runDir } from './programs.mjs';
import { startServer } from './server.mjs';

const examples = join(dirname(fileURLToPath(import.meta.url)), '../../../docs/examples');

test('hello needs no daemon', async () => {
  assert.deepEqual(await run('example_hello', []), { status: 0, out: 'greet.world: hello\n', err: '' });
});

test('two processes', async (t) => {
  const server = await startServer(t, { A: {} });
  process.env.NETCLUSTER_DIR = runDir(server);
  t.after(() => delete process.env.NETCLUSTER_DIR);
  const listener = new Program('example_listener', ['2']);
  await listener.says('listening');
  assert.equal((await run('example_sender', ['2'])).status, 0);
  assert.equal(await listener.status(), 0);
  assert.equal(listener.out, 'listening\n' +
    'sensor.temperature = {"celsius":20} from this host\n' +
    'sensor.temperature = {"celsius":21} from this host\n');
});

test('raw JSON: a shell emits, Node listens', async (t) => {
  const server = await startServer(t, { A: {} });
  const listener = new Program(process.execPath, [join(examples, 'raw-json/listen.mjs'), runDir(server), 'A']);
  await listener.says('listening');
  const shell = await run('/bin/sh', [join(examples, 'raw-json/shell.sh'), runDir(server), 'A', 'log', '{"x":1}']);
  assert.equal(shell.status, 0, shell.err);
  assert.equal(await listener.status(), 0);
  assert.equal(listener.out, 'listening\nlog = {"x":1} on A\n');
});
