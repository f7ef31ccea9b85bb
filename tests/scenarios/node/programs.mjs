// Runs our programs and keeps account of what they say. Every wait has a deadline; nothing sleeps.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { within } from './server.mjs';

const binaries = process.env.NETCLUSTER_BIN;

/// The run directory of a server of server.mjs.
export const runDir = (server) => join(server.scratch, 'run');

export class Program {
  constructor(command, args, { input } = {}) {
    assert.ok(binaries, 'NETCLUSTER_BIN names the directory of the programs under test');
    this.name = [command, ...args].join(' ');
    this.out = '';
    this.err = '';
    this.child = spawn(command.includes('/') ? command : join(binaries, command), args, {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    if (input !== undefined) {
      // It may end without having read it.
      this.child.stdin.on('error', (error) => { if (error.code !== 'EPIPE') throw error; });
      this.child.stdin.end(input);
    }
    this.child.stdout.setEncoding('utf8').on('data', (text) => {
      this.out += text;
      this.wake?.();
    });
    this.child.stderr.setEncoding('utf8').on('data', (text) => (this.err += text));
    this.closed = new Promise((resolve) =>
      this.child.once('close', (code, signal) => resolve(code ?? signal)));
  }
  says(text) {
    return within(new Promise((resolve) => {
      this.wake = () => this.out.includes(text) && resolve();
      this.wake();
    }), `${this.name} says "${text}"`);
  }
  status() {
    return within(this.closed, `${this.name} ends`).finally(() => this.child.kill('SIGKILL'));
  }
}

/// Runs it to its end.
export async function run(command, args, options) {
  const program = new Program(command, args, options);
  return { status: await program.status(), out: program.out, err: program.err };
}
