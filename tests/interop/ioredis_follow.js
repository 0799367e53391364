// A client of a group through ioredis' Sentinel support. usage: node ioredis_follow.js NAME HOST:PORT…
// Prints one JSON line per event; a line on standard input ends it.
'use strict';
const Redis = require('ioredis');

const [name, ...addresses] = process.argv.slice(2);
const sentinels = addresses.map((address) => {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
});
const options = {
  sentinels,
  name,
  sentinelRetryStrategy: () => 20,
  retryStrategy: () => 20,
  connectTimeout: 500,
  sentinelCommandTimeout: 500,
  maxRetriesPerRequest: null,
  reconnectOnError: (error) => (/^(READONLY|MASTERDOWN)/.test(error.message) ? 2 : false),
};
const say = (event) => console.log(JSON.stringify(event));

async function basics(client, reader) {
  await client.set('io:text', 'grün');
  const [[, ok], [, value], [, count]] =
    await client.pipeline().set('io:n', 41).get('io:text').incr('io:n').exec();
  await client.hset('io:hash', { a: '1', b: '2' });
  const hash = await client.hgetall('io:hash');
  const subscriber = new Redis(options);
  const heard = new Promise((resolve) => subscriber.on('message', (_, text) => resolve(text)));
  await subscriber.subscribe('io:channel');
  await client.publish('io:channel', 'hello');
  say({ event: 'basics', ok, value, count, hash, heard: await heard,
        role: (await client.role())[0], readerRole: (await reader.role())[0] });
  subscriber.disconnect();
}

async function main() {
  const client = new Redis(options);
  const reader = new Redis({ ...options, role: 'slave' });
  client.on('error', () => {});
  reader.on('error', () => {});
  await basics(client, reader);
  reader.disconnect();

  let ending = false;
  process.stdin.on('data', () => { ending = true; });
  for (let number = 0; !ending; number++) {
    try {
      await client.set(`io:${number}`, `value-${number}`);
      say({ event: 'ack', number, at: Date.now() });
    } catch (error) {
      say({ event: 'error', number, text: error.message });
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  say({ event: 'end' });
  client.disconnect();
  process.exit(0);
}

main().catch((error) => {
  say({ event: 'failed', text: String(error.stack) });
  process.exit(1);
});
