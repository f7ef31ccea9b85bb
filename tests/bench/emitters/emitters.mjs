// The same works for Node's EventEmitter, and for regular expressions memoised by name. Prints
// work, series and nanoseconds, separated by tabs.
import { EventEmitter } from 'node:events';

const name = 'log.bench';
const data = { celsius: 21.5 };
let heard = 0;
const listener = (weight) => (event) => { heard += weight + (event.data.celsius > 0 ? 1 : 0); };

// All names have been seen before when the measuring begins.
function seen(emitter) {
  for (let i = 0; i < 100; i++) emitter.emit(`other.event${i}`, { name: `other.event${i}`, data });
  return emitter;
}

function withNames(listeners) {
  const emitter = new EventEmitter({ captureRejections: false });
  emitter.setMaxListeners(0);
  for (let i = 0; i < 100; i++) emitter.on(`other.event${i}`, listener(i));
  for (let i = 0; i < listeners; i++) emitter.on(name, listener(i));
  return seen(emitter);
}

class MemoisedEmitter {
  #listeners = [];
  #memo = new Map();
  on(pattern, handler) { this.#listeners.push({ pattern: new RegExp(`^(?:${pattern})$`), handler }); }
  emit(event, value) {
    let matching = this.#memo.get(event);
    if (!matching) {
      matching = this.#listeners.filter(({ pattern }) => pattern.test(event));
      this.#memo.set(event, matching);
    }
    for (const { handler } of matching) handler(value);
  }
}

function withPatterns(count) {
  const emitter = new MemoisedEmitter();
  for (let i = 0; i < count; i++) {
    const service = i === count / 2 ? 'log' : `service${i}`;
    emitter.on(`${service}\\.(bench|stop).*`, listener(i));
  }
  return seen(emitter);
}

// The event is made anew each time, as the others do.
function measure(work, emitter, event = name) {
  for (let calls = 1024; ; calls *= 2) {
    const began = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) emitter.emit(event, { name: event, data });
    const spent = Number(process.hrtime.bigint() - began);
    if (spent < 100e6) continue;
    console.log(`${work}\tNode.js\t${(spent / calls).toFixed(3)}`);
    return;
  }
}

measure('1 listener among 101 names', withNames(1));
measure('10 listeners among 101 names', withNames(10));
measure('nobody listens', withNames(1), 'unheard');
measure('100 patterns, 1 matches', withPatterns(100));
measure('1000 patterns, 1 matches', withPatterns(1000));
if (heard === 0) process.exit(1);
