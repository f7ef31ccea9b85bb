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
  const script = join(examples, 'raw-json/listen.mjs');
  const both = new Program(process.execPath, [script, runDir(server), 'A', '2']);
  const all = new Program(process.execPath, [script, runDir(server), 'A']);
  for (const listener of [both, all]) await listener.says('listening');
  for (const n of [1, 2, 3]) {
    const shell = await run('/bin/sh', [join(examples, 'raw-json/shell.sh'), runDir(server), 'A', 'log', `{"x":${n}}`]);
    assert.equal(shell.status, 0, shell.err);
  }
  assert.equal(await both.status(), 0);
  assert.equal(both.out, 'listening\nlog = {"x":1} on A\nlog = {"x":2} on A\n');
  await all.says('log = {"x":3} on A\n');
  all.child.kill('SIGTERM');
  assert.equal(await all.status(), 'SIGTERM');
});

test('who calls an example wrongly is told how it is called', async () => {
  const wrong = [
    ['example_listener', ['abc']],
    ['example_listener', ['0']],
    ['example_sender', ['3x']],
    ['example_tour', []],
    ['example_envelopes', ['abc', 'peers.json']],
    ['example_envelopes', ['99999999999999999999', 'peers.json']],
    ['example_envelopes', []],
    ['example_httpd', ['A', 'web', '127.0.0.1:0', 'soon']],
    ['example_bounce', ['A', 'http']],
    [process.execPath, [join(examples, 'raw-json/listen.mjs'), '/tmp']],
    [process.execPath, [join(examples, 'raw-json/listen.mjs'), '/tmp', 'A', 'abc']],
    ['/bin/sh', [join(examples, 'raw-json/shell.sh'), '/tmp']],
  ];
  for (const [program, args] of wrong) {
    const said = await run(program, args);
    assert.equal(said.status, 2, `${program} ${args}: ${said.err}`);
    assert.match(said.err, /usage: /);
  }
});

test('what an example cannot use is named', async () => {
  const wrong = [
    ['example_envelopes', ['abc', 'peers.json'], /^abc is not a pid/],
    ['example_httpd', ['A', 'web', 'here'], /^here is not ADDRESS:PORT/],
    ['example_httpd', ['A', 'web', '127.0.0.1:99999'], /^127.0.0.1:99999 is not ADDRESS:PORT/],
    ['example_bounce', ['A', 'http', '[::1:8080'], /^\[::1:8080 is not ADDRESS:PORT/],
    ['example_bounce', ['A', 'http', '127.0.0.1:0', 'best'], /^there is no way to pick named best/],
  ];
  for (const [program, args, message] of wrong) {
    const said = await run(program, args);
    assert.equal(said.status, 2, `${program} ${args}: ${said.err}`);
    assert.match(said.err, message);
  }
});
