// Listens on a channel with nothing but Node's own `net`: packets are JSON, each ended by NUL.
//
//     node listen.mjs RUNDIR CHANNEL [COUNT]
//
// Ends after COUNT events; without it, when the daemon ends or it is interrupted.
import net from 'node:net';

const [rundir, channel, count = Infinity] = process.argv.slice(2);
if (!channel || !(count >= 1)) {
  console.error('usage: node listen.mjs RUNDIR CHANNEL [COUNT]');
  process.exit(2);
}
const socket = net.createConnection(`${rundir}/${channel}.sock`);
let pending = Buffer.alloc(0);
let heard = 0;

socket.on('data', (chunk) => {
  pending = Buffer.concat([pending, chunk]);
  let end;
  while (heard < count && (end = pending.indexOf(0)) !== -1) {
    const packet = JSON.parse(pending.subarray(0, end).toString());
    pending = pending.subarray(end + 1);
    console.log(`${packet.event} = ${JSON.stringify(packet.data)} on ${packet.channel}`);
    if (++heard >= count) socket.end();
  }
});
socket.on('connect', () => console.log('listening'));
socket.on('error', (error) => { console.error(error.message); process.exit(1); });
