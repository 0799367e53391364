// What an ioredis user does with a server: node clients_ioredis.js PORT. Ends with "ok" and status 0,
// or with the assertion that failed.
'use strict';
const assert = require('node:assert/strict');
const Redis = require('ioredis');

const port = Number(process.argv[2]);
const connect = (options = {}) => new Redis({ port, host: '127.0.0.1', ...options });

async function basics(redis) {
  assert.equal(await redis.ping(), 'PONG');
  assert.equal(await redis.set('k', 'v', 'EX', 100), 'OK');
  assert.equal(await redis.get('k'), 'v');
  assert.ok(await redis.ttl('k') > 90);
  assert.deepEqual(await redis.mget('k', 'none'), ['v', null]);
  assert.equal(await redis.incrby('n', 5), 5);
  assert.equal(await redis.hset('h', { a: 1, b: 'two' }), 2);
  assert.deepEqual(await redis.hgetall('h'), { a: '1', b: 'two' });
  assert.deepEqual(await redis.getBuffer('k'), Buffer.from('v'));
  await assert.rejects(redis.hget('k', 'f'), /WRONGTYPE/);
  await assert.rejects(redis.call('NOSUCH', 'x'), /ERR unknown command 'NOSUCH'/);
}

async function pipelines(redis) {
  const pipe = redis.pipeline();
  for (let i = 0; i < 500; i++) pipe.set(`p${i}`, i).get(`p${i}`);
  const replies = await pipe.exec();
  assert.equal(replies.length, 1000);
  replies.forEach(([error, value], i) => {
    assert.equal(error, null);
    assert.equal(value, i % 2 ? String((i - 1) / 2) : 'OK');
  });
  const together = await Promise.all(Array.from({ length: 200 }, (_, i) => redis.get(`p${i}`)));
  assert.deepEqual(together, Array.from({ length: 200 }, (_, i) => String(i)));
}

async function scans(redis) {
  const found = new Set();
  for await (const keys of redis.scanStream({ match: 'p*', count: 50 })) keys.forEach(k => found.add(k));
  assert.equal(found.size, 500);
  await redis.hset('large', Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, i])));
  const fields = new Map();
  for await (const flat of redis.hscanStream('large', { count: 100 })) {
    for (let i = 0; i < flat.length; i += 2) fields.set(flat[i], flat[i + 1]);
  }
  assert.equal(fields.size, 1000);
}

async function messages(redis) {
  const listener = connect();
  const got = [];
  listener.on('message', (channel, text) => got.push([channel, text]));
  listener.on('pmessage', (pattern, channel, text) => got.push([pattern, channel, text]));
  assert.equal(await listener.subscribe('news', 'other'), 2);
  assert.equal(await listener.psubscribe('n*'), 3);
  assert.equal(await redis.publish('news', 'hello'), 2);
  assert.equal(await redis.publish('nobody', 'x'), 1);
  while (got.length < 3) await new Promise(resolve => setTimeout(resolve, 5));
  assert.deepEqual(got, [['news', 'hello'], ['n*', 'news', 'hello'], ['n*', 'nobody', 'x']]);
  assert.equal(await listener.unsubscribe('news'), 2);
  await listener.quit();
}

// A lost connection is dialled anew, and its commands are sent again; subscriptions come back.
async function reconnects(redis) {
  const other = connect({ connectionName: 'other' });
  await other.set('r', '1');
  const closed = new Promise(resolve => other.once('close', resolve));
  assert.equal(await redis.client('KILL', 'ID', await other.client('ID')), 1);
  await closed;
  assert.equal(await other.get('r'), '1');
  assert.equal(await other.client('GETNAME'), 'other');
  await other.quit();
}

async function databases() {
  const third = connect({ db: 3, keyPrefix: 'app:' });
  await third.set('k', 'three');
  const plain = connect({ db: 3 });
  assert.equal(await plain.get('app:k'), 'three');
  await Promise.all([third.quit(), plain.quit()]);
}

async function main() {
  const redis = connect();
  await redis.flushall();
  for (const part of [basics, pipelines, scans, messages, reconnects, databases]) {
    await part(redis);
    console.log(part.name);
  }
  assert.match(await redis.info('server'), /redis_version:7\.0/);
  await redis.quit();
  console.log('ok');
}

main().catch(error => { console.error(error); process.exit(1); });
