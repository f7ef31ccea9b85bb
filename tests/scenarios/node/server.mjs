// Starts the real ncserver for a test and stops it, whatever becomes of the test. Every wait has a
// deadline; nothing sleeps.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';

const patience = 20000 * Number(process.env.NETCLUSTER_SLOWNESS ?? 1);

export function within(promise, what) {
  let timer;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`deadline passed: ${what}`)), patience);
  });
  return Promise.race([promise, deadline]).finally(() => clearTimeout(timer));
}

/// `channels` and `more` as in config.json. The test fails when the daemon does not end well.
export async function startServer(t, channels, more = {}) {
  const scratch = mkdtempSync('/tmp/nc-node-');
  const runDir = join(scratch, 'run');
  const file = join(scratch, 'config.json');
  const config = { connecttonet: false, ...more, channels: { control: {}, ...channels } };
  writeFileSync(file, JSON.stringify(config));
  const binary = process.env.NETCLUSTER_NCSERVER;
  assert.ok(binary, 'NETCLUSTER_NCSERVER names the ncserver under test');
  const environment = { ...process.env };
  for (const name of Object.keys(environment)) {
    if (name.startsWith('NETCLUSTER_')) delete environment[name];
  }
  const child = spawn(binary, ['-c', file, '--rundir', runDir], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: environment,
  });
  const killer = () => child.kill('SIGKILL');
  process.once('exit', killer);

  const server = { log: '', config, file, scratch, socket: (channel) => join(runDir, `${channel}.sock`) };
  let heard = () => {};
  child.stderr.setEncoding('utf8').on('data', (text) => {
    server.log += text;
    heard();
  });
  server.logSays = (part) =>
    within(
      new Promise((resolve) => {
        heard = () => server.log.includes(part) && resolve();
        heard();
      }),
      `the log says "${part}"; it says:\n${server.log}`,
    );
  const exited = new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal)));
  t.after(async () => {
    child.kill('SIGTERM');
    const status = await within(exited, 'ncserver stops').finally(killer);
    process.removeListener('exit', killer);
    const left = existsSync(server.socket('control'));
    rmSync(scratch, { recursive: true, force: true });
    assert.equal(status, 0, `ncserver ended badly:\n${server.log}`);
    assert.equal(left, false, 'a socket was left behind');
  });
  await server.logSays(' ready: ');
  return server;
}

/// The client of netcluster 1.x, as its package has it: no buffer between chunks, each piece between
/// NULs is parsed. `net` alone.
export class OldClient {
  constructor(path, channel) {
    this.channel = channel;
    this.inbox = [];
    this.ended = false;
    this.socket = net.createConnection(path);
    this.socket.on('data', (chunk) => this.read(chunk));
    this.socket.on('close', () => this.end());
    this.socket.on('error', () => this.end());
  }
  connected() {
    return within(new Promise((resolve, reject) => {
      this.socket.once('connect', resolve);
      this.socket.once('error', reject);
    }), 'connect');
  }
  read(chunk) {
    for (const piece of chunk.toString().split('\0')) {
      if (piece) this.take(JSON.parse(piece));
    }
  }
  take(packet) {
    this.inbox.push(packet);
    this.wake?.();
  }
  end() {
    this.ended = true;
    this.wake?.();
  }
  emit(event, data, broadcast = false) {
    this.socket.write(
      JSON.stringify({ emmiteruuid: undefined, channel: this.channel, broadcast, event, data }) + '\0',
    );
  }
  /// The next packet; undefined when the connection has ended.
  next() {
    return within(
      new Promise((resolve) => {
        this.wake = () => {
          if (this.inbox.length === 0 && !this.ended) return;
          this.wake = undefined;
          resolve(this.inbox.shift());
        };
        this.wake();
      }),
      `${this.channel} hears something`,
    );
  }
  close() {
    this.socket.destroy();
  }
}

/// The same with a buffer, as every reader of a stream should be.
export class BufferedClient extends OldClient {
  chunks = [];
  read(chunk) {
    this.chunks.push(chunk);
    if (!chunk.includes(0)) return;
    let bytes = Buffer.concat(this.chunks);
    for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0)) {
      if (end > 0) this.take(JSON.parse(bytes.subarray(0, end).toString()));
      bytes = bytes.subarray(end + 1);
    }
    this.chunks = [bytes];
  }
}

/// Connected clients, closed with the test.
export async function connectAll(t, server, Kind, ...channels) {
  const clients = channels.map((channel) => new Kind(server.socket(channel), channel));
  t.after(() => clients.forEach((client) => client.close()));
  await Promise.all(clients.map((client) => client.connected()));
  return clients;
}
