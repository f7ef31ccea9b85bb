// ncctl keys and genkey against the real daemon: a whole change of keys, as docs/security.md tells it.
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, runDir } from './programs.mjs';
import { startServer } from './server.mjs';

async function ctl(server, args, options) {
  return run('ncctl', ['--dir', runDir(server), ...args], options);
}

async function genkey(...args) {
  const made = await run('ncctl', ['genkey', ...args]);
  assert.equal(made.status, 0, made.err);
  return made.out;
}

async function list(server) {
  const shown = await ctl(server, ['keys', 'list', '--json']);
  assert.equal(shown.status, 0, shown.err);
  return JSON.parse(shown.out).keys.map(({ id, use }) => `${id} ${use}`).join(', ');
}

test('a key file from genkey, then add from stdin, use, and remove', async (t) => {
  const server = await startServer(t, { A: {} });
  const file = join(server.scratch, 'netkeys.json');
  assert.match(await genkey('--file', file), /^made .*netkeys\.json with key 1\n$/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  writeFileSync(server.file, JSON.stringify({ ...server.config, netkeyfile: 'netkeys.json' }));
  assert.equal((await ctl(server, ['reloadconfig'])).status, 0);
  assert.equal(await list(server), '1 tx');

  const key = await genkey();
  const added = await ctl(server, ['keys', 'add', '2'], { input: key });
  assert.equal(added.status, 0, added.err);
  assert.match(added.out, /^ID +USE/);
  assert.equal(await list(server), '1 tx, 2 rx');
  assert.equal((await ctl(server, ['keys', 'use', '2'])).status, 0);
  assert.equal((await ctl(server, ['keys', 'remove', '1'])).status, 0);
  assert.equal(await list(server), '2 tx');
  assert.equal(JSON.parse(readFileSync(file, 'utf8'))[0].key, key.trim());
  assert.ok(!(added.out + added.err + server.log).includes(key.trim()));
});

test('what is wrong with a key, and its exit status', async (t) => {
  const server = await startServer(t, { A: {} });
  for (const [status, input, ...args] of [
    [1, 'x', 'keys', 'add', '1'], [2, '', 'keys', 'add', '1'], [2, 'x', 'keys', 'add'],
    [1, 'x', 'keys', 'add', '1', join(server.scratch, 'missing')],
    [1, '', 'keys', 'use', '1'], [2, '', 'keys', 'use', 'one'], [2, '', 'keys', 'turn', '1'],
    [2, '', 'keys'], [0, '', 'keys', 'list'],
  ]) {
    const ended = await ctl(server, args, { input });
    assert.equal(ended.status, status, `${args.join(' ')}: ${ended.err}`);
    if (status !== 0) assert.match(ended.err, /^ncctl: /);
  }
  assert.equal((await ctl(server, ['keys', 'list'])).out, 'no keys: the link is not encrypted\n');
});
